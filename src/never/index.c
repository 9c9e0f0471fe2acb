/* See index.h. People are sorted by mark first: somebody who was erased and came back has two ids
 * of one mark, and one leaf. Numbers of sets keep their meaning from one index to the next, since
 * holdings are carried on. */
#include "never/index.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/crypto.h"

enum { SENTINELS = 2, BLOCK_PEOPLE = 256, THREADS_MAX = 8 };

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the index of disclosures");
}

/* ---- trees ---- */

static void leaf_at(const void *context, uint64_t place, uint8_t hash[static SORTED_HASH_BYTES])
{
    const struct never_index *index = context;
    marks_leaf_hash(&index->leaves[place], hash);
}

/* Where the nodes of a level begin. */
static uint64_t nodes_before(uint64_t leaves, unsigned level)
{
    uint64_t count = 0;
    for (unsigned below = NEVER_KEPT_LEVEL; below < level; below++)
        count += leaves >> below;
    return count;
}

uint64_t never_index_nodes(uint64_t leaves)
{
    return nodes_before(leaves, SORTED_HEIGHT_MAX);
}

static const uint8_t *kept_at(const void *context, unsigned level, uint64_t at)
{
    const struct never_index *index = context;
    if (level < NEVER_KEPT_LEVEL)
        return NULL;
    return index->nodes[nodes_before(index->commitment.leaves, level) + at];
}

struct sorted_tree never_index_tree(const struct never_index *index)
{
    return (struct sorted_tree){.leaves = index->commitment.leaves,
                                .tag = MARKS_TAG_NODE,
                                .leaf = leaf_at,
                                .kept = kept_at,
                                .context = index};
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
    struct never_index *index, *earlier; /* earlier: NULL where there is none that helps */
    const struct holdings *holdings;
    struct person *people;
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

/* What an earlier index says of a person of whom the same was disclosed. */
static bool take_earlier(const struct building *building, const struct person *person,
                         struct marks_leaf *leaf)
{
    if (building->earlier == NULL)
        return false;
    uint64_t place = never_index_place(building->earlier, person->mark);
    const struct marks_leaf *found = &building->earlier->leaves[place];
    if (memcmp(found->mark, person->mark, MARK_BYTES) != 0 ||
        never_index_set(building->earlier, place) != person->set)
        return false;
    *leaf = *found;
    return true;
}

static bool make_leaf(const struct building *building, size_t at)
{
    const struct person *person = &building->people[at];
    struct marks_leaf *leaf = &building->index->leaves[1 + at];
    store_u32be(building->index->sets[1 + at], person->set);
    if (take_earlier(building, person, leaf))
        return true;
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

/* The lowest nodes that are kept: hashed from their leaves, unless an earlier index has the very
 * same leaves there. */
static void *make_nodes(void *context)
{
    struct building *building = context;
    const struct never_index *index = building->index, *earlier = building->earlier;
    struct sorted_tree tree = never_index_tree(index);
    const size_t width = (size_t)1 << NEVER_KEPT_LEVEL;
    tree.kept = NULL;
    for (;;) {
        size_t node = atomic_fetch_add(&building->next, 1), first = node * width;
        if (first + width > index->commitment.leaves)
            return NULL;
        if (earlier != NULL && first + width <= earlier->commitment.leaves &&
            memcmp(earlier->leaves + first, index->leaves + first, width * sizeof *index->leaves) ==
                0)
            memcpy(index->nodes[node], earlier->nodes[node], SORTED_HASH_BYTES);
        else
            sorted_tree_subtree(&tree, NEVER_KEPT_LEVEL, node, index->nodes[node]);
    }
}

static void on_all_cores(struct building *building, void *(*work)(void *building))
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    building->next = 0;
    while (started + 1 < (size_t)cores && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, work, building) == 0)
        started++;
    work(building);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void make_higher_nodes(struct never_index *index)
{
    uint64_t leaves = index->commitment.leaves;
    for (unsigned level = NEVER_KEPT_LEVEL + 1; leaves >> level > 0; level++)
        for (uint64_t at = 0; at < leaves >> level; at++) {
            const uint8_t *children = kept_at(index, level - 1, 2 * at);
            const uint8_t tag = MARKS_TAG_NODE;
            const struct slice parts[] = {slice_of(&tag, 1),
                                          slice_of(children, 2 * SORTED_HASH_BYTES)};
            crypto_sha256(parts, 2, index->nodes[nodes_before(leaves, level) + at]);
        }
}

static void commit_to(const struct sorted_tree *tree, struct never_commitment *commitment)
{
    uint8_t root[SORTED_HASH_BYTES];
    sorted_tree_root(tree, root);
    marks_root(commitment->base.from, commitment->base.statement, root, commitment->root);
}

static enum status build(struct building *building, struct error *error)
{
    struct never_index *index = building->index;
    size_t count = building->count + SENTINELS;
    index->leaves = calloc(count, sizeof *index->leaves);
    index->sets = calloc(count, sizeof *index->sets);
    index->nodes = malloc((never_index_nodes(count) + 1) * SORTED_HASH_BYTES);
    if (index->leaves == NULL || index->sets == NULL || index->nodes == NULL)
        return no_memory(error);
    index->commitment.leaves = count;
    on_all_cores(building, make_leaves);
    if (building->failed)
        return no_memory(error);
    memcpy(index->leaves[count - 1].mark, marks_highest, MARK_BYTES);
    on_all_cores(building, make_nodes);
    make_higher_nodes(index);
    struct sorted_tree tree = never_index_tree(index);
    commit_to(&tree, &index->commitment);
    return STATUS_OK;
}

static void free_tree(struct never_index *index)
{
    if (index->map != NULL) {
        munmap(index->map, index->map_len);
    } else {
        free(index->leaves);
        free(index->sets);
        free(index->nodes);
    }
    index->map = NULL;
    index->leaves = NULL;
    index->sets = NULL;
    index->nodes = NULL;
}

enum status never_index_build(struct never_index *index, const struct seeds *seeds,
                              const struct vrf_key *key, struct error *error)
{
    struct never_index earlier = *index; /* its tree; the holdings stay */
    struct building building = {.index = index, .holdings = &index->holdings};
    if (earlier.leaves != NULL &&
        memcmp(index->commitment.vrf_key, key->public_key, VRF_PUBLIC_BYTES) == 0)
        building.earlier = &earlier;
    index->map = NULL;
    index->leaves = NULL;
    index->sets = NULL;
    index->nodes = NULL;
    memcpy(index->commitment.vrf_key, key->public_key, VRF_PUBLIC_BYTES);
    enum status status = gather(&building, index, seeds, key, error);
    if (status == STATUS_OK)
        status = unite(&building, &index->holdings, error);
    if (status == STATUS_OK)
        status = build(&building, error);
    if (building.people != NULL)
        crypto_wipe(building.people, building.count * sizeof *building.people);
    free(building.people);
    free_tree(&earlier);
    return status;
}

void never_index_free(struct never_index *index)
{
    free_tree(index);
    holdings_free(&index->holdings);
}

uint32_t never_index_set(const struct never_index *index, uint64_t place)
{
    return load_u32be(index->sets[place]);
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

uint64_t never_index_gone(const struct never_index *earlier, const struct never_index *index)
{
    uint64_t gone = 0;
    if (memcmp(earlier->commitment.vrf_key, index->commitment.vrf_key, NEVER_HASH_BYTES) != 0)
        return 0;
    for (uint64_t at = 1; at + 1 < earlier->commitment.leaves; at++) {
        const uint8_t *mark = earlier->leaves[at].mark;
        gone += memcmp(index->leaves[never_index_place(index, mark)].mark, mark, MARK_BYTES) != 0;
    }
    return gone;
}
