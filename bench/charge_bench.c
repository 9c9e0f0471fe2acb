/* What charging a row to a partner's limits costs: 2 million people, scattered, all of them known;
 * with no limit but the two on people, with one, with five. Prints a RESULT line: nanoseconds of
 * CPU time a row, alone and in batches of 1,000. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exposure/accounts.h"

enum { PEOPLE = 2000000, SPREAD = 16, BATCH = 1000, ROWS = 2000000 };

static const struct policy_limit limits[] = {
    {.name = "a", .subjects = UINT64_MAX, .window = POLICY_PER_24H},
    {.name = "b", .subjects = UINT64_MAX, .window = POLICY_PER_7D, .category = "phone"},
    {.name = "c", .subjects = UINT64_MAX, .window = POLICY_PER_WEEK, .agent = "sync"},
    {.name = "d", .subjects = UINT64_MAX, .window = POLICY_PER_MONTH, .purpose = "support"},
    {.name = "e", .subjects = UINT64_MAX, .window = POLICY_EVER}};

static const char *line_of(void *context, uint32_t column_set)
{
    return column_set == 1 ? "customer.phone:clear:phone\n" : NULL;
}

static uint32_t draw(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % PEOPLE * SPREAD;
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Charges `rows` people, drawn or (first) one after the other; nanoseconds a row. */
static double charge(struct accounts *accounts, size_t limit_count, size_t batch, size_t rows,
                     bool first)
{
    static uint32_t ids[BATCH];
    static size_t ends[BATCH];
    const uint32_t column_set = 1;
    const struct policy_partner partner = {
        .name = "bench", .budget = {.limits = limits, .limit_count = limit_count}};
    const struct exposure_subjects subjects = {.agent = "sync",
                                               .purpose = "support",
                                               .ids = ids,
                                               .column_sets = &column_set,
                                               .class_count = 1,
                                               .row_ends = ends,
                                               .row_count = batch};
    double begun = cpu_ns();
    for (size_t row = 0; row < rows; row += batch) {
        struct exposure_charge result;
        for (size_t i = 0; i < batch; i++) {
            ids[i] = first ? (uint32_t)(row + i) * SPREAD : draw();
            ends[i] = i + 1;
        }
        accounts_charge(accounts, &partner, INT64_C(1795000000) * 1000000000, &subjects, &result);
    }
    return (cpu_ns() - begun) / (double)rows;
}

int main(void)
{
    printf("RESULT");
    for (size_t count = 0; count <= 5; count += count == 0 ? 1 : 4) {
        struct accounts *accounts;
        if (accounts_new(&accounts, NULL) != STATUS_OK)
            return 1;
        accounts_know_texts(accounts, &(struct gauge_texts){.text = line_of});
        double fresh = charge(accounts, count, BATCH, PEOPLE, true);
        charge(accounts, count, BATCH, ROWS, false);
        double alone = charge(accounts, count, 1, ROWS, false);
        double batch = charge(accounts, count, BATCH, ROWS, false);
        printf(" limits_%zu_alone_ns=%.0f limits_%zu_batch_ns=%.0f limits_%zu_new_ns=%.0f", count,
               alone, count, batch, count, fresh);
        accounts_free(accounts);
    }
    printf("\n");
    return 0;
}
