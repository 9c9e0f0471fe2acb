/* Holding a commitment against the ledger: one that leaves out what was told before its instant. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "never/never.h"

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
    if (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_old_index_does_not_pass_for_a_new_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
