/* SPDX-License-Identifier: MIT */
/*
 * test_setup.c - what secmalloc.h promises of init, shutdown and the helpers
 *
 * Configurations good and bad, pools, limits of our own, memory given back.
 */
#include "t_api.h"

#include "ksft.h"

TA_TIERS(setup);

/* Not a value that any call here sets. */
enum { ODD_ERRNO = 4711 };

TEST_F(setup, shutdown_takes_all_and_init_gives_it_again)
{
	unsigned char *p[3] = { secmalloc(40), secmalloc(70000),
				secmalloc_guarded(100) };
	struct secmalloc_report r;
	int i, round;

	ASSERT_TRUE(p[0] && p[1] && p[2]);
	for (i = 0; i < 3; i++)
		memset(p[i], 0x77, 40);
	for (round = 0; round < 3; round++) {
		errno = ODD_ERRNO;
		secmalloc_shutdown();
		EXPECT_EQ(ODD_ERRNO, errno);
		errno = 0;
		EXPECT_NULL(secmalloc(1));
		EXPECT_EQ(EPERM, errno);
		EXPECT_NULL(seccalloc(1, 1));
		EXPECT_NULL(secmalloc_guarded(1));
		EXPECT_NULL(secrealloc(NULL, 1));
		r.size = sizeof(r);
		EXPECT_EQ(-1, secmalloc_report(&r));
		EXPECT_EQ(EPERM, errno);
		for (i = 0; round == 0 && i < 3; i++)
			EXPECT_EQ(SECM_NONE, ta_access(p[i]));
		ASSERT_EQ(0, ta_start(&variant->tier));
		r = ta_report();
		EXPECT_EQ(0, r.objects);
		p[round] = ta_hide(p[round]);
		secfree(p[round]); /* of before: nothing happens */
		secfree(secmalloc(40));
		secfree(secmalloc(70000));
	}
}

TEST_F(setup, shutdown_gives_the_memory_back)
{
	int i, n, maps = 0, first = 0;
	void *p[200];

	for (n = 0; n < 5; n++) {
		for (i = 0; i < 200; i++) {
			p[i] = secmalloc((size_t)i * 40);
			ASSERT_NOT_NULL(p[i]);
		}
		secmalloc_shutdown();
		for (i = 0; i < 200; i++)
			secfree(p[i]); /* which does nothing */
		ASSERT_EQ(0, ta_start(&variant->tier));
		maps = ta_vmas(NULL, NULL);
		if (n == 0)
			first = maps;
	}
	EXPECT_LE(maps, first);
}

TEST_F(setup, a_second_init_is_an_error)
{
	errno = 0;
	EXPECT_EQ(-1, secmalloc_init(NULL));
	EXPECT_EQ(EALREADY, errno);
	EXPECT_NOT_NULL(secmalloc(1));
}

TEST(init_comes_by_itself)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };
	char *p;

	if (!(p = secmalloc(100)))
		SKIP(return, "no locked memory here: %s", strerror(errno));
	EXPECT_EQ(-1, secmalloc_init(&config));
	EXPECT_EQ(EALREADY, errno);
	secfree(p);
}

TEST(init_refuses_what_it_does_not_know)
{
	static const struct secmalloc_config bad[] = {
		{ .need = 0x20 },
		{ .need = ~0u },
		{ .flags = 0x20 },
		{ .flags = ~0u },
		{ .hibernation = 3 },
		{ .hibernation = SECMALLOC_HIBERNATION_KEEP,
		  .need = SECMALLOC_HIDDEN },
		{ .initial_pools = 2, .pool_size = PTRDIFF_MAX },
		{ .initial_pools = 1, .pool_size = SIZE_MAX },
		{ .initial_pools = 1, .pool_size = (size_t)PTRDIFF_MAX + 1 },
		{ .initial_pools = 2, .pool_size = 65536, .max_bytes = 65536 },
		{ .initial_pools = 2, .max_bytes = 65536 },
	};
	struct secmalloc_config config;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config = bad[i];
		errno = 0;
		EXPECT_EQ(-1, secmalloc_init(&config));
		EXPECT_EQ(EINVAL, errno) { TH_LOG("config %zu", i); }
	}
	config = (struct secmalloc_config){ .size = 3 };
	EXPECT_EQ(-1, secmalloc_init(&config));
	EXPECT_EQ(EINVAL, errno);
	config = (struct secmalloc_config){ .flags = SECMALLOC_BEST_EFFORT };
	EXPECT_EQ(0, secmalloc_init(&config));
	EXPECT_NOT_NULL(secmalloc(1));
}

TEST_F(setup, max_bytes_holds)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	size_t n = 0, most = 40 * ta_page(), sum;
	struct secmalloc_report r;
	int i;

	secmalloc_shutdown();
	config.need = variant->tier.need;
	config.flags = variant->tier.flags;
	config.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	config.max_bytes = most;
	ASSERT_EQ(0, secmalloc_init(&config));
	errno = 0;
	while (n < 10000 && secmalloc(1000))
		n++;
	EXPECT_EQ(ENOMEM, errno);
	r = ta_report();
	for (sum = 0, i = 0; i < SECMALLOC_TIERS; i++)
		sum += r.tier[i].mapped;
	EXPECT_LE(sum, most);
	EXPECT_GT(sum, most / 2);
	EXPECT_EQ(n, r.objects);
	EXPECT_EQ(n * 1000, r.bytes);
	EXPECT_EQ(1, r.refused);
	EXPECT_EQ(SECMALLOC_REASON_MAX_BYTES, r.reason);
}

TEST_F(setup, pools_exist_when_init_returns)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	size_t size = 16 * ta_page(), sum;
	struct secmalloc_report r;
	int i;

	secmalloc_shutdown();
	config.need = variant->tier.need;
	config.flags = variant->tier.flags;
	config.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	config.initial_pools = 3;
	config.pool_size = size - 100; /* rounded up */
	ASSERT_EQ(0, secmalloc_init(&config));
	r = ta_report();
	for (sum = 0, i = 0; i < SECMALLOC_TIERS; i++)
		sum += r.tier[i].mapped;
	EXPECT_GE(sum, 3 * size - 3 * ta_page());
	EXPECT_LE(sum, 4 * size);
}

TEST(helpers_do_what_they_say)
{
	static const char other[] = "secreT";
	char a[64], b[64], c[256] = { 0 };
	size_t i;

	EXPECT_STREQ(SECMALLOC_VERSION_STRING, secmalloc_version());
	memset(a, 0xff, sizeof(a));
	errno = ODD_ERRNO;
	secmalloc_wipe(a + 1, 0);
	secmalloc_wipe(a + 1, 62);
	EXPECT_TRUE(ta_holds(a + 1, 62, 0));
	EXPECT_EQ((char)0xff, a[0]);
	EXPECT_EQ((char)0xff, a[63]);
	memcpy(a, "secret", 7);
	memcpy(b, "secret", 7);
	EXPECT_EQ(1, secmalloc_equal(a, b, 7));
	EXPECT_EQ(1, secmalloc_equal(a, other, 0));
	EXPECT_EQ(0, secmalloc_equal(a, other, 7));
	EXPECT_EQ(1, secmalloc_equal(a, other, 5));
	for (i = 0; i < 8 * sizeof(a); i++) {
		memcpy(b, a, sizeof(a));
		b[i / 8] = (char)(b[i / 8] ^ 1 << i % 8);
		EXPECT_EQ(0, secmalloc_equal(a, b, sizeof(a)));
	}
	EXPECT_EQ(0, secmalloc_random(c, 0));
	EXPECT_TRUE(ta_holds(c, sizeof(c), 0));
	EXPECT_EQ(0, secmalloc_random(c, sizeof(c)));
	EXPECT_FALSE(ta_holds(c, 16, 0));
	EXPECT_FALSE(ta_holds(c + sizeof(c) - 16, 16, 0));
	EXPECT_EQ(ODD_ERRNO, errno);
}

TEST(facts_can_be_told)
{
	struct secmalloc_fact f = { .size = sizeof(f) };
	unsigned n = 0;

	while (secmalloc_fact(n, &f) == 0) {
		ASSERT_NOT_NULL(f.name);
		EXPECT_STRNE("", f.name);
		EXPECT_STRNE("", f.value);
		EXPECT_GE(f.status, SECMALLOC_FACT_GOOD);
		EXPECT_LE(f.status, SECMALLOC_FACT_MISSING);
		EXPECT_TRUE(f.status != SECMALLOC_FACT_MISSING || f.advice) {
			TH_LOG("%s: %s", f.name, f.value);
		}
		n++;
	}
	EXPECT_EQ(ENOENT, errno);
	EXPECT_GT(n, 3);
	f.size = 1;
	EXPECT_EQ(-1, secmalloc_fact(0, &f));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_fact(0, NULL));
	EXPECT_EQ(EINVAL, errno);
}

TEST(harden_refuses_unknown_bits_and_does_nothing_then)
{
	unsigned got = 77;

	EXPECT_EQ(-1, secmalloc_harden(0x80 | SECMALLOC_HARDEN_NO_CORE, &got));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(77, got);
	EXPECT_EQ(0, secmalloc_harden(0, &got));
	EXPECT_EQ(0, got);
	EXPECT_EQ(0, secmalloc_harden(SECMALLOC_HARDEN_NO_CORE, NULL));
}
