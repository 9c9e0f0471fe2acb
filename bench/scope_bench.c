/* How fast a scope is computed: a ledger of disclosures of 240,000 people in pieces of a thousand
 * ids, with 24 column sets over 100 days; then the scan, the tables and the hash. Two shapes:
 * pieces of neighbours, as exports in the order of a key make them, and scattered people, where in
 * the end almost everybody has a class of their own. Usage: scope_bench [pairs]; default 5,000,000
 * pairs of a person and an entry. Prints one RESULT line a shape. */
#include "scope_scene.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"

enum { PEOPLE = 240000, PIECE = 1000, SETS = 24, DAYS = 100 };
static const int64_t DAY_NS = INT64_C(86400000000000);

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void give_piece(struct scope_scene *scene, uint64_t piece, bool scattered)
{
    uint32_t first = (uint32_t)(piece / SETS * PIECE % PEOPLE);
    uint32_t ids[PIECE];
    char columns[128];
    unsigned set = (unsigned)(piece % SETS);
    for (size_t i = 0; i < PIECE; i++)
        ids[i] = scattered ? (uint32_t)random() % PEOPLE : first + (uint32_t)i;
    qsort(ids, PIECE, sizeof *ids, compare);
    snprintf(columns, sizeof columns, "d%u.a:clear:name\nd%u.b:masked:phone\nd%u.c:clear:c%u\n",
             set % 4, set % 4, set % 4, set / 4);
    scene_give(scene, &(struct given){.partner = "north",
                                      .agent = "etl",
                                      .columns = columns,
                                      .time_ns = DAY_NS * (int64_t)(20000 + piece % DAYS),
                                      .rows = PIECE,
                                      .ids = ids,
                                      .count = PIECE});
}

static void run(uint64_t pairs, bool scattered)
{
    struct scope_scene scene;
    struct scope_totals totals;
    struct rusage usage;
    scene_make(&scene);
    for (uint64_t piece = 0; piece < pairs / PIECE; piece++)
        give_piece(&scene, piece, scattered);
    struct scope_query query = scene_cut(&scene, "north");
    int64_t begun = clock_monotonic_ns();
    struct scope *scope = scene_scope(&query);
    double seconds = (double)(clock_monotonic_ns() - begun) / 1e9;
    scope_total(scope, &totals);
    getrusage(RUSAGE_SELF, &usage);
    printf("RESULT shape=%s scope_s=%.2f people=%" PRIu64 " entries=%" PRIu64
           " classes=%zu rss_mib=%ld\n",
           scattered ? "scattered" : "neighbours", seconds, totals.people, query.cutoff,
           scope->class_count, usage.ru_maxrss / 1024);
    scope_close(scope);
    scene_remove(&scene);
}

int main(int argc, char **argv)
{
    uint64_t pairs = argc > 1 ? strtoull(argv[1], NULL, 10) : 5000000;
    run(pairs, false);
    run(pairs, true);
    return 0;
}
