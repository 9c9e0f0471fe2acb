/* See index.h. People are sorted by mark first: somebody who was erased and came back has two ids
 * of one mark, and one leaf. */
#include "never/index.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"

enum { SENTINELS = 2, BLOCK_PEOPLE = 256, THREADS_MAX = 8 };

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the index of disclosures");
}

/* ---- trees ---- */

static void leaf_at(const void *context, uint64_t index, uint8_t hash[static SORTED_HASH_BYTES])
{
    const struct marks_leaf *leaves = context;
    marks_leaf_hash(&leaves[index], hash);
}

struct sorted_tree never_index_tree(const struct never_index *index)
{
    return (struct sorted_tree){.leaves = index->commitment.leaves,
                                .tag = MARKS_TAG_NODE,
                                .leaf = leaf_at,
                                .context = index->leaves};
}

/* A mark is a hash already: it is its own leaf. */
static void mark_at(const void *context, uint64_t index, uint8_t hash[static SORTED_HASH_BYTES])
{
    memcpy(hash, (const uint8_t *)context + index * MARK_BYTES, MARK_BYTES);
}

struct sorted_tree never_index_inner_tree(uint8_t (*marks)[MARK_BYTES], size_t count)
{
    return (struct sorted_tree){
        .leaves = count, .tag = MARKS_TAG_INNER_NODE, .leaf = mark_at, .context = marks};
}

static int compare_marks(const void *a, const void *b)
{
    return memcmp(a, b, MARK_BYTES);
}

enum status never_index_inner(const struct holdings *holdings, uint32_t set,
                              const uint8_t seed[static SEED_BYTES], uint8_t (**marks)[MARK_BYTES],
                              size_t *count, struct error *error)
{
    size_t questions_count;
    const uint32_t *questions = holdings_set(holdings, set, &questions_count);
    uint8_t(*made)[MARK_BYTES] = malloc((questions_count + SENTINELS) * MARK_BYTES);
    if (made == NULL)
        return no_memory(error);
    for (size_t i = 0; i < questions_count; i++) {
        struct slice partner, column;
        holdings_question(holdings, questions[i], &partner, &column);
        marks_question(seed, partner, column, made[1 + i]);
    }
    memcpy(made[0], marks_lowest, MARK_BYTES);
    qsort(made + 1, questions_count, MARK_BYTES, compare_marks);
    memcpy(made[1 + questions_count], marks_highest, MARK_BYTES);
    *marks = made;
    *count = questions_count + SENTINELS;
    return STATUS_OK;
}

/* ---- building ---- */

struct person {
    uint8_t mark[MARK_BYTES]; /* first: compared as bytes */
    uint8_t seed[SEED_BYTES];
    uint32_t set;
};

struct building {
    const struct holdings *holdings;
    struct person *people;
    struct marks_leaf *leaves; /* of the people, without sentinels */
    size_t count;
    _Atomic size_t next;
    _Atomic bool failed;
};

static void add_person(struct building *building, const uint8_t seed[SEED_BYTES], uint32_t set)
{
    struct person *person = &building->people[building->count++];
    memcpy(person->seed, seed, SEED_BYTES);
    person->set = set;
    marks_subject(seed, person->mark);
}

static enum status gather(struct building *building, struct never_index *index,
                          const struct seeds *seeds, const struct vrf_key *key, struct error *error)
{
    const struct holdings *holdings = &index->holdings;
    uint8_t everybody[SEED_BYTES];
    size_t count = 1;
    for (size_t id = 0; id < holdings->id_count; id++)
        count += holdings->ids[id] != HOLDINGS_NOTHING;
    building->people = malloc(count * sizeof *building->people);
    if (building->people == NULL)
        return no_memory(error);
    seeds_compute(key, slice_of(NULL, 0), slice_of(NULL, 0), everybody);
    add_person(building, everybody, holdings->everybody);
    index->commitment.erased = 0;
    for (uint32_t id = 0; id < holdings->id_count; id++) {
        if (holdings->ids[id] == HOLDINGS_NOTHING)
            continue;
        if (seeds_known(seeds, id))
            add_person(building, seeds->of[id], holdings->ids[id]);
        else
            index->commitment.erased++;
    }
    return STATUS_OK;
}

/* One person a mark: what their ids hold together. */
static enum status unite(struct building *building, struct holdings *holdings, struct error *error)
{
    struct person *people = building->people;
    size_t kept = 0;
    qsort(people, building->count, sizeof *people, compare_marks);
    for (size_t i = 0; i < building->count; i++) {
        if (kept > 0 && memcmp(people[kept - 1].mark, people[i].mark, MARK_BYTES) == 0)
            TRY(holdings_union(holdings, people[kept - 1].set, people[i].set, &people[kept - 1].set,
                               error));
        else
            people[kept++] = people[i];
    }
    building->count = kept;
    return STATUS_OK;
}

static bool make_leaf(const struct building *building, size_t at)
{
    const struct person *person = &building->people[at];
    struct marks_leaf *leaf = &building->leaves[at];
    uint8_t(*marks)[MARK_BYTES];
    size_t count;
    if (never_index_inner(building->holdings, person->set, person->seed, &marks, &count, NULL) !=
        STATUS_OK)
        return false;
    struct sorted_tree tree = never_index_inner_tree(marks, count);
    uint8_t root[MARK_BYTES];
    memcpy(leaf->mark, person->mark, MARK_BYTES);
    sorted_tree_root(&tree, root);
    marks_inner(count, root, leaf->inner);
    free(marks);
    return true;
}

static void *make_leaves(void *context)
{
    struct building *building = context;
    for (;;) {
        size_t from = atomic_fetch_add(&building->next, BLOCK_PEOPLE);
        if (from >= building->count)
            return NULL;
        for (size_t at = from; at < from + BLOCK_PEOPLE && at < building->count; at++)
            if (!make_leaf(building, at))
                building->failed = true;
    }
}

static void make_on_all_cores(struct building *building)
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    while (started + 1 < (size_t)cores && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, make_leaves, building) == 0)
        started++;
    make_leaves(building);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static enum status build(struct building *building, struct never_index *index, struct error *error)
{
    size_t count = building->count + SENTINELS;
    free(index->leaves);
    index->leaves = calloc(count, sizeof *index->leaves);
    if (index->leaves == NULL)
        return no_memory(error);
    building->leaves = index->leaves + 1;
    make_on_all_cores(building);
    if (building->failed)
        return no_memory(error);
    memcpy(index->leaves[count - 1].mark, marks_highest, MARK_BYTES);
    index->commitment.leaves = count;
    struct sorted_tree tree = never_index_tree(index);
    sorted_tree_root(&tree, index->commitment.root);
    return STATUS_OK;
}

enum status never_index_build(struct never_index *index, const struct seeds *seeds,
                              const struct vrf_key *key, struct error *error)
{
    struct building building = {.holdings = &index->holdings};
    enum status status = gather(&building, index, seeds, key, error);
    if (status == STATUS_OK)
        status = unite(&building, &index->holdings, error);
    if (status == STATUS_OK)
        status = build(&building, index, error);
    if (building.people != NULL)
        crypto_wipe(building.people, building.count * sizeof *building.people);
    free(building.people);
    return status;
}

void never_index_free(struct never_index *index)
{
    free(index->leaves);
    index->leaves = NULL;
    holdings_free(&index->holdings);
}

uint64_t never_index_place(const struct never_index *index, const uint8_t mark[static MARK_BYTES])
{
    uint64_t low = 0, high = index->commitment.leaves;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (memcmp(index->leaves[middle].mark, mark, MARK_BYTES) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}
