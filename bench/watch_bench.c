/* What it costs to count a batch for its agent and to judge it: nanoseconds a call of watch_take,
 * for batches of one person and of many, by one thread and by four of the same agent; and the bytes
 * that an agent's state takes. */
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/subject_set.h"
#include "watch/watch.h"

enum { PEOPLE = 2000000, SETS = 512, THREADS = 4 };

static struct policy_agent agent = {.name = "sync", .login = "acme.sync"};
static struct policy_partner partner = {.name = "acme",
                                        .anomalies = {.days = 28, .learn = 7, .walk_step = 8}};
static struct watch *watch;
static struct buffer sets[SETS];
static uint32_t batch_people;

static bool key_of(void *context, uint32_t id, uint16_t *kind, char key[static 256])
{
    (void)context;
    *kind = 0;
    snprintf(key, 256, "%" PRIu32, id);
    return true;
}

static const char *columns_of(void *context, uint32_t id)
{
    (void)context;
    (void)id;
    return "customer.id:clear:id\n";
}

static void make_sets(uint32_t people)
{
    uint32_t *ids = calloc(people, sizeof *ids);
    CHECK(ids != NULL);
    batch_people = people;
    for (size_t i = 0; i < SETS; i++) {
        buffer_init(&sets[i], 1 << 20);
        for (uint32_t p = 0; p < people; p++)
            ids[p] = (uint32_t)(random() % PEOPLE) + 1;
        subject_set_serialize(ids, people, &sets[i]);
    }
    free(ids);
}

static void *run(void *context)
{
    const size_t *calls = context;
    static struct watch_verdict verdicts[THREADS];
    static _Atomic size_t next;
    struct watch_verdict *verdict = &verdicts[next++ % THREADS];
    for (size_t i = 0; i < *calls; i++) {
        struct ledger_item item = {
            .grade = 1, .column_set = 1, .subjects = buffer_slice(&sets[i % SETS])};
        struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                     .flags = LEDGER_FLAG_OPENING | LEDGER_FLAG_CLOSING,
                                     .time_ns = clock_now_ns(),
                                     .session = 1,
                                     .partner = slice_of_text("acme"),
                                     .agent = slice_of_text("sync"),
                                     .row_count = batch_people,
                                     .column_set = 1,
                                     .items = &item,
                                     .item_count = 1};
        watch_take(watch, &partner, &agent, WATCH_LIVE, &entry, verdict);
    }
    return NULL;
}

static double measure(size_t threads, size_t calls)
{
    pthread_t all[THREADS];
    int64_t begun = clock_monotonic_ns();
    for (size_t i = 0; i < threads; i++)
        CHECK(pthread_create(&all[i], NULL, run, &calls) == 0);
    for (size_t i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
    return (double)(clock_monotonic_ns() - begun) / (double)calls;
}

int main(void)
{
    static const uint32_t sizes[] = {1, 10, 300, 5000};
    const struct watch_sources sources = {.columns = columns_of, .key = key_of};
    struct error error;
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        partner.anomalies.rules[i] = (struct policy_anomaly_rule){.floor = UINT64_MAX, .factor = 3};
    make_sets(1);
    size_t before = mallinfo2().uordblks;
    CHECK(watch_new(&watch, &error) == STATUS_OK);
    watch_know(watch, &sources);
    (void)measure(1, 1);
    printf("bytes_an_agent=%zu (one person seen)\n", mallinfo2().uordblks - before);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t calls = sizes[i] > 1000 ? 5000 : 100000;
        make_sets(sizes[i]);
        double one = measure(1, calls), four = measure(THREADS, calls);
        printf("people=%" PRIu32 " ns_a_batch=%.0f ns_a_person=%.1f four_threads_ns=%.0f\n",
               sizes[i], one, one / sizes[i], four);
    }
    return 0;
}
