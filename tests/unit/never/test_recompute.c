/* Holding a commitment against the ledger: one that leaves out what was told before its instant,
 * one that counts what had been dropped before, and one that did so rightly. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/retention.h"
#include "never/never.h"

enum { ROOM_WAIT_MS = 10000 };

static const int64_t MINUTE_NS = 60LL * 1000000000;
static char state_folder[] = "/tmp/cofferdam-compute-XXXXXX";

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void append(struct ledger *ledger, enum ledger_type type, const char *partner,
                   int64_t time_ns, struct slice text)
{
    struct error error = {0};
    uint64_t sequence;
    const struct ledger_entry entry = {.type = type,
                                       .time_ns = time_ns,
                                       .partner = slice_of_text(partner),
                                       .text = text,
                                       .chunk_count = 1};
    enum status status;
    int tries = 0;
    while ((status = ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error)) ==
               STATUS_LIMIT &&
           tries++ < ROOM_WAIT_MS)
        usleep(1000); /* the next segment is being prepared */
    if (status != STATUS_OK)
        fail_msg("append: %s", error.message);
    ledger_wait(ledger, sequence);
}

/* What recomputing says of a commitment to the first `entries`, as of a minute: there are 3
 * disclosures, of the minutes 0, 60 and 120, and before the last one a reading of our own. */
static enum status recompute(uint64_t entries, int64_t minute, struct error *error)
{
    char folder[sizeof state_folder + 16];
    static const struct policy policy;
    const struct never_place place = {.state_folder = state_folder, .policy = &policy};
    int64_t start_ns = clock_now_ns() / MINUTE_NS * MINUTE_NS - 600 * MINUTE_NS;
    const struct never_commitment commitment = {
        .entries = entries, .as_of_ns = start_ns + minute * MINUTE_NS, .leaves = 3};
    struct never_check check;
    struct ledger *ledger;
    struct buffer text;
    snprintf(state_folder, sizeof state_folder, "/tmp/cofferdam-compute-XXXXXX");
    assert_non_null(mkdtemp(state_folder));
    snprintf(folder, sizeof folder, "%s/ledger", state_folder);
    const struct ledger_options options = {
        .folder = folder, .node = "test", .segment_bytes = 131072};
    if (ledger_open(&options, &ledger, error) != STATUS_OK)
        fail_msg("open: %s", error->message);
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    never_commitment_format(&commitment, &text);
    append(ledger, LEDGER_DISCLOSURE, "acme", start_ns, slice_of(NULL, 0));
    append(ledger, LEDGER_DISCLOSURE, "acme", start_ns + 60 * MINUTE_NS, slice_of(NULL, 0));
    append(ledger, LEDGER_DISCLOSURE, "", start_ns, slice_of(NULL, 0));
    append(ledger, LEDGER_DISCLOSURE, "acme", start_ns + 120 * MINUTE_NS, slice_of(NULL, 0));
    append(ledger, LEDGER_COMMITMENT, "", start_ns + 120 * MINUTE_NS, buffer_slice(&text));
    buffer_free(&text);
    ledger_close(ledger);
    enum status status = never_recompute(&place, UINT64_MAX, &check, error);
    nftw(state_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

/* Where the instant is right, the next thing that is wanted is the key, which is not here. */
static void an_old_index_does_not_pass_for_a_new_one(void **state)
{
    static const struct {
        uint64_t entries;
        int64_t minute;
        enum status status;
    } cases[] = {{4, 121, STATUS_NOT_FOUND}, {2, 61, STATUS_NOT_FOUND}, {3, 129, STATUS_NOT_FOUND},
                 {3, 131, STATUS_CORRUPT},   {2, 200, STATUS_CORRUPT},  {1, 61, STATUS_NOT_FOUND},
                 {1, 121, STATUS_CORRUPT},   {0, 121, STATUS_CORRUPT}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        enum status status = recompute(cases[i].entries, cases[i].minute, &error);
        if (status != cases[i].status)
            fail_msg("case %zu: %s, not %s: %s", i, status_name(status),
                     status_name(cases[i].status), error.message);
    }
}

/* ---- a log that was cut ---- */

static void commit_to(struct ledger *ledger, uint64_t entries, const struct never_base *base)
{
    const struct never_commitment commitment = {.base = *base,
                                                .entries = entries,
                                                .as_of_ns = clock_now_ns() / MINUTE_NS * MINUTE_NS,
                                                .leaves = 3};
    struct buffer text;
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    never_commitment_format(&commitment, &text);
    append(ledger, LEDGER_COMMITMENT, "", clock_now_ns(), buffer_slice(&text));
    buffer_free(&text);
}

/* Policies' texts until there are so many segments. */
static void fill(struct ledger *ledger, uint64_t segments)
{
    static char text[4096];
    struct ledger_state state;
    memset(text, 'x', sizeof text);
    do {
        append(ledger, LEDGER_POLICY, "", clock_now_ns(), slice_of(text, sizeof text));
        ledger_state(ledger, &state);
    } while (state.current_segment < segments);
}

static void cut(struct ledger *ledger, const char *folder, struct never_base *base)
{
    struct error error = {0};
    struct retention_plan plan;
    const struct retention_wish wish = {
        .before_ns = INT64_MAX, .keep_segments = 2, .reason = "test", .vouched = UINT64_MAX};
    if (retention_plan(folder, &wish, &plan, &error) != STATUS_OK ||
        retention_drop(ledger, folder, &plan, &error) != STATUS_OK)
        fail_msg("cut: %s", error.message);
    retention_plan_free(&plan);
    assert_int_equal(never_base_read(folder, base, &error), STATUS_OK);
    assert_true(base->from > 1);
}

static void expect(enum status wanted, struct never_check *check)
{
    static const struct policy policy;
    const struct never_place place = {.state_folder = state_folder, .policy = &policy};
    struct error error = {0};
    enum status status = never_recompute(&place, UINT64_MAX, check, &error);
    if (status != wanted)
        fail_msg("%s, not %s: %s", status_name(status), status_name(wanted), error.message);
}

/* As above, the key is what is missing where all else is right. */
static void what_was_dropped_is_not_claimed_afterwards(void **state)
{
    char folder[sizeof state_folder + 16];
    struct ledger *ledger;
    struct error error = {0};
    struct never_check check;
    struct never_base whole = {0}, base, other;
    (void)state;
    snprintf(state_folder, sizeof state_folder, "/tmp/cofferdam-compute-XXXXXX");
    assert_non_null(mkdtemp(state_folder));
    snprintf(folder, sizeof folder, "%s/ledger", state_folder);
    const struct ledger_options options = {
        .folder = folder, .node = "test", .segment_bytes = 131072};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK)
        fail_msg("open: %s", error.message);
    for (int i = 0; i < 3; i++)
        append(ledger, LEDGER_DISCLOSURE, "acme", clock_now_ns(), slice_of(NULL, 0));
    other = (struct never_base){.from = 2, .since_ns = MINUTE_NS, .statement = {1}};
    commit_to(ledger, 3, &other); /* nothing has been dropped yet */
    expect(STATUS_CORRUPT, &check);
    commit_to(ledger, 3, &whole);
    expect(STATUS_NOT_FOUND, &check);
    fill(ledger, 4);
    cut(ledger, folder, &base);
    expect(STATUS_OK, &check);
    assert_true(check.commitments == 2 && check.beyond == 2 && !check.recomputed);
    const uint64_t entries = base.from + 1;
    commit_to(ledger, entries, &base);
    expect(STATUS_NOT_FOUND, &check);
    commit_to(ledger, entries, &whole);
    expect(STATUS_CORRUPT, &check);
    other = base;
    other.from--;
    commit_to(ledger, entries, &other);
    expect(STATUS_CORRUPT, &check);
    other = base;
    other.since_ns -= MINUTE_NS;
    commit_to(ledger, entries, &other);
    expect(STATUS_CORRUPT, &check);
    commit_to(ledger, entries, &base);
    expect(STATUS_NOT_FOUND, &check);
    ledger_close(ledger);
    nftw(state_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_index_does_not_pass_for_a_new_one),
        cmocka_unit_test(what_was_dropped_is_not_claimed_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
