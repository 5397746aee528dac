/* SPDX-License-Identifier: MIT */
/*
 * work_connect.c - TLS connections, with all memory of libcrypto from the peer
 *
 * Callers: worker.c, by the list in work.c.  An operation is a connection of a
 * client and a server in one thread, by way of memory: a TLS 1.3 handshake with
 * a new certificate's key of P-256, 64 KiB from the server to the client, and
 * all of both freed.  Who compares with plain malloc compares with OpenSSL as it
 * comes.  The prototypes are written from OpenSSL's manual.
 */
#include "bench.h"

#include <dlfcn.h>

enum {
	RECORD = 16384,
	RECORDS = 4,
	PAIR = 2 * RECORD,
	TURNS = 10,
	DAY = 86400
};

static struct {
	int (*memory)(void *(*)(size_t, const char *, int),
		      void *(*)(void *, size_t, const char *, int),
		      void (*)(void *, const char *, int));
	void *(*keygen)(void *, const char *, const char *, ...);
	void *(*x509_new)(void), *(*not_before)(void *), *(*not_after)(void *);
	void *(*adjust)(void *, long);
	int (*set_key)(void *, void *), (*sign)(void *, void *, const void *);
	const void *(*sha256)(void), *(*client)(void), *(*server)(void);
	void *(*ctx_new)(const void *), *(*ssl_new)(void *);
	int (*use_key)(void *, void *), (*use_certificate)(void *, void *);
	int (*pair)(void **, size_t, void **, size_t);
	void (*set_bio)(void *, void *, void *);
	void (*connects)(void *), (*accepts)(void *), (*ssl_free)(void *);
	int (*handshake)(void *);
	int (*write)(void *, const void *, int), (*read)(void *, void *, int);
} ssl;

static const struct {
	const char *name;
	void *to; /* a pointer to a function */
} functions[] = {
	{ "CRYPTO_set_mem_functions", &ssl.memory },
	{ "EVP_PKEY_Q_keygen", &ssl.keygen },
	{ "X509_new", &ssl.x509_new },
	{ "X509_getm_notBefore", &ssl.not_before },
	{ "X509_getm_notAfter", &ssl.not_after },
	{ "X509_gmtime_adj", &ssl.adjust },
	{ "X509_set_pubkey", &ssl.set_key },
	{ "X509_sign", &ssl.sign },
	{ "EVP_sha256", &ssl.sha256 },
	{ "TLS_client_method", &ssl.client },
	{ "TLS_server_method", &ssl.server },
	{ "SSL_CTX_new", &ssl.ctx_new },
	{ "SSL_CTX_use_PrivateKey", &ssl.use_key },
	{ "SSL_CTX_use_certificate", &ssl.use_certificate },
	{ "SSL_new", &ssl.ssl_new },
	{ "BIO_new_bio_pair", &ssl.pair },
	{ "SSL_set_bio", &ssl.set_bio },
	{ "SSL_set_connect_state", &ssl.connects },
	{ "SSL_set_accept_state", &ssl.accepts },
	{ "SSL_do_handshake", &ssl.handshake },
	{ "SSL_write", &ssl.write },
	{ "SSL_read", &ssl.read },
	{ "SSL_free", &ssl.ssl_free },
};

enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static const struct bench_peer *peer;
static void *client_ctx, *server_ctx;

static void *alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return peer->alloc(size);
}

/* It does not tell the old size. */
static void *resize(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return peer->resize(p, 0, size);
}

static void release(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	peer->release(p, 0);
}

static int find_functions(void)
{
	void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL), *f;
	size_t i;

	if (!library)
		return -1;
	for (i = 0; i < FUNCTIONS; i++) {
		f = dlsym(library, functions[i].name);
		if (!f)
			return -1;
		memcpy(functions[i].to, &f, sizeof(f));
	}
	return 0;
}

static int make_server(void)
{
	void *key = ssl.keygen(NULL, NULL, "EC", "P-256");
	void *certificate = ssl.x509_new();

	server_ctx = ssl.ctx_new(ssl.server());
	return key && certificate && server_ctx &&
	       ssl.adjust(ssl.not_before(certificate), 0) &&
	       ssl.adjust(ssl.not_after(certificate), DAY) &&
	       ssl.set_key(certificate, key) &&
	       ssl.sign(certificate, key, ssl.sha256()) > 0 &&
	       ssl.use_certificate(server_ctx, certificate) > 0 &&
	       ssl.use_key(server_ctx, key) > 0;
}

/* 1 if all that was sent came. */
static int send_records(void *server, void *client)
{
	static char record[RECORD];
	int i, n, got;

	for (i = 0; i < RECORDS; i++) {
		if (ssl.write(server, record, RECORD) != RECORD)
			return 0;
		for (got = 0; got < RECORD; got += n) {
			n = ssl.read(client, record, RECORD);
			if (n <= 0)
				return 0;
		}
	}
	return 1;
}

static int shake_hands(void *server, void *client)
{
	int i, done = 0;

	for (i = 0; i < TURNS && done != 2; i++)
		done = (ssl.handshake(client) == 1) +
		       (ssl.handshake(server) == 1);
	return done == 2;
}

/* 0, or -1 if it did not work. */
static int connection(void)
{
	void *server = ssl.ssl_new(server_ctx);
	void *client = ssl.ssl_new(client_ctx), *a, *b;
	int done;

	if (!server || !client || ssl.pair(&a, PAIR, &b, PAIR) != 1)
		return -1;
	ssl.set_bio(server, a, a);
	ssl.set_bio(client, b, b);
	ssl.accepts(server);
	ssl.connects(client);
	done = shake_hands(server, client) && send_records(server, client);
	ssl.ssl_free(server);
	ssl.ssl_free(client);
	return done ? 0 : -1;
}

int bench_setup_connect(struct bench_run *run)
{
	peer = run->peer;
	if (peer != &bench_secmalloc && peer != &bench_malloc)
		return bench_cannot(run, "libcrypto does not tell it sizes");
	if (find_functions() < 0)
		return bench_cannot(run, "no libssl.so.3 here");
	if (peer != &bench_malloc && !ssl.memory(alloc, resize, release))
		return bench_cannot(run, "libcrypto has memory already");
	client_ctx = ssl.ctx_new(ssl.client());
	if (!client_ctx || !make_server() || connection() < 0)
		return bench_cannot(run, "libssl does not connect");
	return 0;
}

double bench_do_connect(struct bench_run *run, size_t units)
{
	double start = bench_cpu();
	size_t i;

	for (i = 0; i < units; i++)
		if (connection() < 0)
			return bench_failed(run, "libssl does not connect");
	return bench_cpu() - start;
}
