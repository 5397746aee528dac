/* SPDX-License-Identifier: MIT */
/*
 * secmalloc_cold.h - secrets that are seldom used, encrypted until they are
 *
 * The public header of libsecmalloc-cold, a library beside libsecmalloc that
 * also wants libsodium.  A cold secret is a ciphertext in ordinary memory, that
 * malloc(3) handed out: it may be swapped and dumped.  The key is an object of
 * secret memory, in a heap of its own that is closed to everybody between two
 * uses (see secmalloc_begin() in secmalloc.h), and it is the only thing that
 * takes locked memory, however many cold secrets there are.  A secret that is
 * open is an object of secmalloc() like any other.
 *
 * XChaCha20-Poly1305 encrypts and authenticates.  Each sealing has a nonce of
 * its own, and binds the bytes to their handle and size: what was changed, or
 * taken from another handle, ends the process when it is used.  All this is
 * computed inside secmalloc_call(), on a secret stack, where there is such a
 * thing (see its ENOTSUP).
 *
 * Rules that hold for every function:
 *
 *  threads   may be called from any thread at any time.  There is one lock,
 *            held while something is encrypted or decrypted.  Out-of-memory
 *            handlers may call these functions, functions that log must not;
 *  signals   not async-signal-safe;
 *  fork      a child made by fork(2) has the ciphertexts but no key: what was
 *            frozen before can be closed, measured and freed there, else it is
 *            EPERM, for good.  What it freezes itself has a key of its own.
 *            With SECMALLOC_CHILD_COPY in the configuration of
 *            secmalloc_cold_init() the child gets the key as well;
 *  shutdown  secmalloc_shutdown() takes the key: the same as in a child;
 *  errors    NULL or -1 with errno set, which is kept on success:
 *              ENOMEM    no memory, secret or ordinary
 *              ENOTSUP   the protection that is needed cannot be had here
 *              EPERM     the key is gone, by fork(2) or secmalloc_shutdown();
 *                        or the latter was called and nothing can be frozen; or
 *                        this is a child made without fork handlers
 *              EIO       the system has no random bytes
 *              EBUSY     the secret is open
 *              EINVAL    see there
 *            and then nothing changed;
 *  misuse    one line goes to standard error and the process ends by SIGABRT:
 *            a handle that is none or was freed, ciphertext or handle changed,
 *            closing what is not open, freeing what is open.
 */
#ifndef SECMALLOC_COLD_H
#define SECMALLOC_COLD_H

#include <secmalloc.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle: in ordinary memory, like what it stands for. */
typedef struct secmalloc_cold secmalloc_cold;

/*
 * secmalloc_cold_init - choose the configuration of the key's heap
 *
 * Needed only to do so; the first freeze does it otherwise.  config as that of
 * secmalloc_heap_create(), but the access is by scopes in any case, and a
 * pool_size or pool_growth of 0 stands for a page, a retain of 0 for nothing.
 * It also holds for the heaps of later keys.
 * -1 with errno EALREADY (there is a key), EINVAL, or another one from above.
 */
int secmalloc_cold_init(const struct secmalloc_config *config)
	SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_cold_freeze - encrypt size bytes at p
 *
 * p may be any memory, secret or not, and is left as it is: wipe or free it.
 * Returns the handle, or NULL with errno; EINVAL for NULL with a size.
 */
secmalloc_cold *secmalloc_cold_freeze(const void *p,
				      size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_cold_open, secmalloc_cold_close - have the secret for a while
 *
 * The first open decrypts into an object of secmalloc(), aligned to 16 bytes,
 * the last close wipes and frees it; in between every open returns the same
 * object.  It is for reading: what is written there is lost at the last close.
 * close needs no memory and cannot fail.
 */
const void *secmalloc_cold_open(secmalloc_cold *cold) SECMALLOC_ATTR_CHECK;
void secmalloc_cold_close(secmalloc_cold *cold);

/*
 * secmalloc_cold_replace - new contents, of any size
 *
 * As freeze, with the handle that is there.  After an error, EBUSY too, the old
 * contents are still there.
 */
int secmalloc_cold_replace(secmalloc_cold *cold, const void *p,
			   size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_cold_thaw - an ordinary secret again
 *
 * Returns an object of secmalloc(), the caller's to secfree(), and frees the
 * handle; or NULL with errno, and the handle is as it was.
 */
void *secmalloc_cold_thaw(secmalloc_cold *cold) SECMALLOC_ATTR_CHECK;

/* secmalloc_cold_size - how many bytes it stands for */
size_t secmalloc_cold_size(const secmalloc_cold *cold);

/*
 * secmalloc_cold_free - wipe and free handle and ciphertext
 * NULL: does nothing.
 */
void secmalloc_cold_free(secmalloc_cold *cold);

/*
 * secmalloc_cold_rekey - encrypt everything anew, under a new key
 *
 * The old key is wiped.  Takes secret memory for the largest cold secret, once,
 * and time for all of them, during which other threads wait here.  All memory
 * is taken before the first one is changed, so it is all of them or, after an
 * error, none.  Those whose key is gone stay as they are.
 */
int secmalloc_cold_rekey(void) SECMALLOC_ATTR_CHECK;

struct secmalloc_cold_report {
	size_t size;	 /* set by the caller: sizeof(this) */
	size_t secrets;	 /* handles */
	size_t bytes;	 /* that they stand for */
	size_t open;	 /* of the handles: open now */
	size_t lost;	 /* of the handles: their key is gone */
	size_t ordinary; /* bytes of ordinary memory in handles, ciphertexts
			    and the list of handles, as malloc(3) was asked */
	size_t locked;	 /* bytes mapped for the key's heap, whole pages;
			    open secrets are elsewhere */
	unsigned protections; /* SECMALLOC_LOCKED and so on, of all of these */
	int access;	      /* SECMALLOC_BY_*, what closes the key */
	size_t rekeys;	      /* keys so far, but for the first */
};

/*
 * secmalloc_cold_report - fill *report; sets nothing up
 * -1 with errno EINVAL (wrong report->size).
 */
int secmalloc_cold_report(struct secmalloc_cold_report *report)
	SECMALLOC_ATTR_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* SECMALLOC_COLD_H */
