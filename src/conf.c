/* SPDX-License-Identifier: MIT */
/*
 * conf.c - SECMALLOC_CONF: what the environment adds to a configuration
 *
 * Callers: policy.c when a heap starts, under the heap's lock.
 *
 *	SECMALLOC_CONF=log=info,need=locked+nodump,strict,retain=64k
 *
 * The environment belongs to whoever runs the program, not to who wrote it.  So
 * it may have a program observed and made stricter; nothing it says takes from
 * what the program asked for.
 *
 * I1  A merged configuration has every protection and check that the program's
 *     had; merging twice is merging once.
 * I2  The text is read once: a child and a second start find what was read, so
 *     that nothing is told or decided anew.
 */
#include "conf.h"

#include <limits.h>
#include <string.h>

#include "heap.h"
#include "os.h"

static const char not_a_count[] = "not a number from 1 to 4294967295";
static const char not_a_rate[] = "not a number from 16 to 4294967295";
static const char not_bytes[] = "not a number of bytes, with k, m or g or none";

static const char too_long[] = "longer than 1024 bytes";

SECM_STATIC_ASSERT(UINT_MAX >= 4294967295u);
SECM_STATIC_ASSERT(SECM_CONF_LONGEST == 1024);

/* What the environment said. */
static struct secm_conf said;
static int was_read;

struct name {
	const char *word;
	unsigned value;
};

static int is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

/* 1, or 0 if the list, which ends with a NULL, has no such word. */
static int find_word(const struct name *list, const char *s, size_t len,
		     unsigned *value)
{
	for (; list->word; list++)
		if (is_word(s, len, list->word)) {
			*value = list->value;
			return 1;
		}
	return 0;
}

/* Digits and nothing else: 1, or 0 if it is not that or above most. */
static int to_number(const char *s, size_t len, size_t most, size_t *out)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		size_t digit = (size_t)(s[i] - '0');

		if (s[i] < '0' || s[i] > '9' || digit > most ||
		    n > (most - digit) / 10)
			return 0;
		n = n * 10 + digit;
	}
	*out = n;
	return len > 0;
}

/* 1, or 0 if it is not a number from least on. */
static int to_count(const char *s, size_t len, unsigned least, unsigned *out)
{
	size_t n;

	if (!to_number(s, len, 4294967295u, &n) || n < least)
		return 0;
	*out = (unsigned)n;
	return 1;
}

static const char *to_bytes(const char *s, size_t len, size_t *out)
{
	static const struct name units[] = {
		{ "k", 10 }, { "m", 20 }, { "g", 30 }, { NULL, 0 }
	};
	unsigned shift = 0;
	size_t n;

	if (len > 1 && find_word(units, s + len - 1, 1, &shift))
		len--;
	if (!to_number(s, len, SIZE_MAX >> shift, &n))
		return not_bytes;
	*out = n << shift;
	return NULL;
}

static const char *set_log(struct secm_conf *c, const char *s, size_t len)
{
	static const struct name levels[] = {
		{ "none", SECMALLOC_LOG_NONE },
		{ "error", SECMALLOC_LOG_ERROR },
		{ "warning", SECMALLOC_LOG_WARNING },
		{ "info", SECMALLOC_LOG_INFO },
		{ "debug", SECMALLOC_LOG_DEBUG },
		{ NULL, 0 }
	};

	return find_word(levels, s, len, &c->log_level) ? NULL
							: "no such level";
}

/* With more of them threads keep nothing, and nothing is in quarantine. */
static const char *set_sample(struct secm_conf *c, const char *s, size_t len)
{
	return to_count(s, len, SECM_SAMPLE_LEAST, &c->sample) ? NULL
							       : not_a_rate;
}

static const char *set_quarantine(struct secm_conf *c, const char *s,
				  size_t len)
{
	return to_count(s, len, 1, &c->quarantine) ? NULL : not_a_count;
}

/* Not SECMALLOC_FORK_ZERO: no hidden memory has it, so a program that has not
 * asked for either would lose the better one. */
static const char *set_need(struct secm_conf *c, const char *s, size_t len)
{
	static const struct name protections[] = {
		{ "locked", SECMALLOC_LOCKED },
		{ "nodump", SECMALLOC_NODUMP },
		{ "hidden", SECMALLOC_HIDDEN },
		{ "fork_gone", SECMALLOC_FORK_GONE },
		{ NULL, 0 }
	};
	unsigned need = 0, bit = 0;
	const char *end = s + len;

	for (;;) {
		const char *plus = memchr(s, '+', (size_t)(end - s));
		const char *stop = plus ? plus : end;

		if (!find_word(protections, s, (size_t)(stop - s), &bit))
			return "no such protection";
		need |= bit;
		if (!plus)
			break;
		s = plus + 1;
	}
	c->need = need;
	return NULL;
}

static const char *set_retain(struct secm_conf *c, const char *s, size_t len)
{
	return to_bytes(s, len, &c->retain);
}

static const char *set_cache(struct secm_conf *c, const char *s, size_t len)
{
	return to_bytes(s, len, &c->cache);
}

static const struct {
	const char *name;
	/* NULL if all is well, else what is wrong; NULL: takes no value */
	const char *(*set)(struct secm_conf *c, const char *value, size_t len);
} keys[SECM_CONF_KEYS] = {
	[SECM_CONF_LOG] = { "log", set_log },
	[SECM_CONF_SAMPLE] = { "sample", set_sample },
	[SECM_CONF_QUARANTINE] = { "quarantine", set_quarantine },
	[SECM_CONF_NEED] = { "need", set_need },
	[SECM_CONF_STRICT] = { "strict", NULL },
	[SECM_CONF_ALWAYS_MOVE] = { "always_move", NULL },
	[SECM_CONF_RETAIN] = { "retain", set_retain },
	[SECM_CONF_CACHE] = { "cache", set_cache },
};

static int has(const struct secm_conf *conf, enum secm_conf_key key)
{
	return (conf->given >> key) & 1;
}

/* Terminals act on some bytes, and logs are read as lines. */
static void remember(struct secm_conf *conf, const char *item, size_t len,
		     const char *why)
{
	struct secm_conf_mistake *m;
	size_t i, most = SECM_CONF_ITEM - 1;

	if (conf->mistakes++ >= SECM_CONF_MISTAKES)
		return;
	m = &conf->mistake[conf->mistakes - 1];
	m->why = why;
	for (i = 0; i < len && i < most; i++)
		m->item[i] = item[i] >= ' ' && item[i] <= '~' ? item[i] : '?';
	m->item[i] = 0;
	if (len > most)
		memcpy(m->item + most - 3, "...", 3);
}

static const char *take_item(struct secm_conf *conf, const char *item,
			     size_t len)
{
	const char *equals = memchr(item, '=', len), *wrong = NULL;
	size_t name = equals ? (size_t)(equals - item) : len;
	int key = 0;

	while (key < SECM_CONF_KEYS && !is_word(item, name, keys[key].name))
		key++;
	if (key == SECM_CONF_KEYS)
		return "no such option";
	if (!equals != !keys[key].set)
		return equals ? "it takes no value" : "it needs a value";
	if (has(conf, (enum secm_conf_key)key))
		return "it was given before";
	if (equals)
		wrong = keys[key].set(conf, equals + 1, len - name - 1);
	if (!wrong)
		conf->given |= 1u << key;
	return wrong;
}

void secm_conf_parse(const char *text, struct secm_conf *conf)
{
	static const struct secm_conf nothing;
	size_t len = 0, item;
	const char *wrong;

	*conf = nothing;
	while (len <= SECM_CONF_LONGEST && text[len])
		len++;
	if (len > SECM_CONF_LONGEST) {
		remember(conf, text, len, too_long);
		return;
	}
	for (; len > 0; text += item, len -= item) {
		const char *comma = memchr(text, ',', len);

		item = comma ? (size_t)(comma - text) : len;
		wrong = take_item(conf, text, item);
		if (wrong)
			remember(conf, text, item, wrong);
		item += comma != NULL;
	}
}

/* 0 is no limit to what is kept, but the default: 1 is as good as none. */
static void lower(size_t *limit, size_t to)
{
	if (to == 0)
		to = 1;
	if (to < *limit)
		*limit = to;
}

static void raise_to(unsigned *value, unsigned to)
{
	if (to > *value)
		*value = to;
}

void secm_conf_merge(const struct secm_conf *conf, struct secmalloc_config *c)
{
	raise_to(&c->log_level, conf->log_level);
	raise_to(&c->quarantine, conf->quarantine);
	if (has(conf, SECM_CONF_SAMPLE) &&
	    (!c->sample || conf->sample < c->sample))
		c->sample = conf->sample;
	if (has(conf, SECM_CONF_STRICT)) {
		c->flags &= ~SECMALLOC_BEST_EFFORT;
		if (!c->need)
			c->need = SECM_DEFAULT_NEED;
	}
	c->need |= conf->need;
	if (has(conf, SECM_CONF_ALWAYS_MOVE))
		c->flags |= SECMALLOC_ALWAYS_MOVE;
	if (has(conf, SECM_CONF_RETAIN))
		lower(&c->retain, conf->retain);
	/* Out of more slots the next one is harder to guess. */
	if (has(conf, SECM_CONF_CACHE) && conf->cache > c->cache)
		c->cache = conf->cache;
}

void secm_conf_apply(struct secmalloc_config *config)
{
	const char *text;

	if (config->flags & SECMALLOC_IGNORE_ENVIRONMENT)
		return;
	if (!was_read) { /* I2 */
		was_read = 1;
		text = secm_os_conf();
		if (text)
			secm_conf_parse(text, &said);
	}
	secm_conf_merge(&said, config);
}

static void tell_mistakes(struct secm_heap *heap)
{
	unsigned i;

	for (i = 0; i < said.mistakes && i < SECM_CONF_MISTAKES; i++)
		secm_log_always(heap, "SECMALLOC_CONF: '%s' is ignored: %s",
				said.mistake[i].item, said.mistake[i].why);
	if (said.mistakes > SECM_CONF_MISTAKES)
		secm_log_always(heap, "SECMALLOC_CONF: %u more are ignored",
				said.mistakes - SECM_CONF_MISTAKES);
	said.mistakes = 0;
}

static void tell_options(struct secm_heap *heap)
{
	const char *before = "";
	char names[96] = ""; /* all of them need 63 */
	int key;

	if (!said.given)
		return;
	for (key = 0; key < SECM_CONF_KEYS; key++) {
		if (!has(&said, (enum secm_conf_key)key))
			continue;
		strcat(names, before);
		strcat(names, keys[key].name);
		before = ", ";
	}
	secm_log(heap, SECMALLOC_LOG_INFO, "SECMALLOC_CONF gives %s", names);
}

void secm_conf_tell(struct secm_heap *heap)
{
	unsigned flags = heap->policy.config.flags;

	tell_mistakes(heap);
	if (heap->orphan || (flags & SECMALLOC_IGNORE_ENVIRONMENT))
		return;
	tell_options(heap);
}
