/* The questions that the index answers; see index_live.h. */
#include <stdlib.h>
#include <string.h>

#include "exposure/index_entry.h"
#include "exposure/index_live.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { GRADE_INFLUENCE = 4 };

/* ---- asking ---- */

/* The frame of every question: STATUS_OK with `swap` held for reading. */
static enum status begin(struct index *index, struct error *error)
{
    pthread_rwlock_rdlock(&index->swap);
    if (atomic_load(&index->lost_end) == 0)
        return STATUS_OK;
    pthread_rwlock_unlock(&index->swap);
    return error_set(error, STATUS_LIMIT, "53100",
                     "Is there room on the disk? The log tells why its files cannot be written.",
                     "the exposure index is behind the ledger");
}

static enum status end(struct index *index, enum status status)
{
    pthread_rwlock_unlock(&index->swap);
    return status;
}

/* What came from the shelf: where it is damaged, it is to be made anew. */
static enum status from_shelf(struct index *index, enum status status)
{
    if (status == STATUS_CORRUPT)
        atomic_store(&index->damaged, true);
    return status;
}

/* What is known of a partner; *known stays false where nothing is. */
static enum status find_facts(struct index *index, const char *name, struct tail_facts *facts,
                              bool *known, struct error *error)
{
    TRY(begin(index, error));
    enum status status = STATUS_OK;
    *known = tail_facts(index->current, name, facts);
    if (index->closing != NULL && tail_facts(index->closing, name, facts))
        *known = true;
    if (index->shelf != NULL)
        status = from_shelf(index, shelf_facts(index->shelf, name, facts, known, error));
    return end(index, status);
}

bool index_has_partner(struct index *index, const char *name)
{
    struct tail_facts facts = {.deleted_before_ns = INT64_MIN};
    struct error ignored;
    bool known = false;
    return find_facts(index, name, &facts, &known, &ignored) == STATUS_OK && known;
}

int64_t index_deleted_before(struct index *index, const char *name)
{
    struct tail_facts facts = {.deleted_before_ns = INT64_MIN};
    struct error ignored;
    bool known = false;
    if (find_facts(index, name, &facts, &known, &ignored) != STATUS_OK)
        return INT64_MIN;
    return facts.deleted_before_ns;
}

enum status index_column_sets(struct index *index, const char *name, roaring_bitmap_t **sets,
                              struct error *error)
{
    struct tail_facts facts = {.deleted_before_ns = INT64_MIN,
                               .column_sets = roaring_bitmap_create()};
    bool known = false;
    if (facts.column_sets == NULL)
        return error_no_memory(error);
    enum status status = find_facts(index, name, &facts, &known, error);
    if (status == STATUS_OK && known) {
        *sets = facts.column_sets;
        return STATUS_OK;
    }
    roaring_bitmap_free(facts.column_sets);
    *sets = NULL;
    return status;
}

struct index_range index_range(int64_t from_ns, int64_t until_ns)
{
    struct index_range range = {.from_hour = from_ns, .until_hour = until_ns};
    if (from_ns != INT64_MIN)
        range.from_hour = index_hour_of(from_ns);
    if (until_ns != INT64_MAX)
        range.until_hour =
            index_hour_of(until_ns) + (index_hour_of(until_ns) * HOUR_NS != until_ns);
    return range;
}

static int compare_keys(const void *a, const void *b)
{
    return index_key_compare(a, b);
}

/* The partner's series on the shelf and in the tails, each once, ascending; owned by the caller. */
static enum status list_keys(struct index *index, const char *partner, struct index_key **keys,
                             size_t *count, struct error *error)
{
    size_t from = 0, until = 0, kept = 0, shelved;
    if (index->shelf != NULL)
        shelf_partner(index->shelf, partner, &from, &until);
    *count = 0;
    *keys = malloc((until - from + 1) * sizeof **keys);
    if (*keys == NULL)
        return error_no_memory(error);
    for (size_t i = from; i < until; i++)
        (*keys)[(*count)++] = index->shelf->keys[i];
    shelved = *count;
    enum status status = tail_keys(index->current, partner, keys, count, error);
    if (status == STATUS_OK && index->closing != NULL)
        status = tail_keys(index->closing, partner, keys, count, error);
    if (status != STATUS_OK) {
        free(*keys);
        *keys = NULL;
        return status;
    }
    if (*count == shelved) /* ascending as they stand */
        return STATUS_OK;
    qsort(*keys, *count, sizeof **keys, compare_keys);
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || index_key_compare(&(*keys)[i], &(*keys)[kept - 1]) != 0)
            (*keys)[kept++] = (*keys)[i];
    *count = kept;
    return STATUS_OK;
}

static struct index_view view_of(const struct index_key *key)
{
    return (struct index_view){.partner = key->partner,
                               .agent = key->agent,
                               .column_set = key->column_set,
                               .kind = key->kind,
                               .grade =
                                   key->grade == INDEX_GRADE_FEW ? GRADE_INFLUENCE : key->grade,
                               .charged = index_grade_is_charged(key->grade),
                               .purpose = key->purpose,
                               .first_hour = INT64_MAX,
                               .last_hour = INT64_MIN};
}

/* The key's number on the shelf; of keys that come ascending, each is looked for behind the one
 * before: *from is where, 0 at first. False: it is not there. */
static bool find_number(const struct index *index, const struct index_key *key, size_t *from)
{
    const struct shelf *shelf = index->shelf;
    if (shelf == NULL)
        return false;
    if (*from >= shelf->key_count || index_key_compare(&shelf->keys[*from], key) != 0)
        if (!shelf_find(shelf, key, from))
            return false;
    return true;
}

/* One question about a partner's series, one after the other. */
struct walk {
    struct index *index;
    struct index_range range;
    size_t from; /* of find_number */
    struct id_union *gathered;
};

/* The ids of a series in the range, from the shelf and the tails; owned by the caller. */
static enum status collect(struct walk *walk, const struct index_key *key, roaring_bitmap_t **out,
                           struct index_view *view, struct error *error)
{
    struct index *index = walk->index;
    enum status status = STATUS_OK;
    if (find_number(index, key, &walk->from))
        status =
            from_shelf(index, shelf_collect(index->shelf, walk->from++, walk->range, walk->gathered,
                                            &view->first_hour, &view->last_hour, error));
    roaring_bitmap_t *ids = id_union_take(walk->gathered); /* empty again, come what may */
    if (ids == NULL)
        return error_no_memory(error);
    if (status != STATUS_OK) {
        roaring_bitmap_free(ids);
        return status;
    }
    tail_collect(index->current, key, walk->range, ids, &view->first_hour, &view->last_hour);
    if (index->closing != NULL)
        tail_collect(index->closing, key, walk->range, ids, &view->first_hour, &view->last_hour);
    *out = ids;
    return STATUS_OK;
}

static enum status visit_series(struct walk *walk, const struct index_key *key, index_visit visit,
                                void *context, struct error *error)
{
    struct index_view view = view_of(key);
    roaring_bitmap_t *ids;
    TRY(collect(walk, key, &ids, &view, error));
    view.ids = ids;
    enum status status = STATUS_OK;
    if (!roaring_bitmap_is_empty(ids))
        status = visit(context, &view, error);
    roaring_bitmap_free(ids);
    return status;
}

enum status index_each(struct index *index, const char *name, struct index_range range,
                       index_visit visit, void *context, struct error *error)
{
    struct walk walk = {.index = index, .range = range, .gathered = id_union_new()};
    struct index_key *keys = NULL;
    size_t count = 0;
    if (walk.gathered == NULL)
        return error_no_memory(error);
    enum status status = begin(index, error);
    if (status == STATUS_OK) {
        status = list_keys(index, name, &keys, &count, error);
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            if (keys[i].grade != INDEX_GRADE_DELETED)
                status = visit_series(&walk, &keys[i], visit, context, error);
        free(keys);
        end(index, status);
    }
    id_union_free(walk.gathered);
    return status;
}

static enum status find_one(struct walk *walk, const struct index_key *key, uint32_t id, bool *held,
                            struct index_view *view, struct error *error)
{
    struct index *index = walk->index;
    *held = false;
    if (find_number(index, key, &walk->from))
        TRY(from_shelf(index, shelf_holds(index->shelf, walk->from++, id, held, &view->first_hour,
                                          &view->last_hour, error)));
    if (tail_holds(index->current, key, id, &view->first_hour, &view->last_hour))
        *held = true;
    if (index->closing != NULL &&
        tail_holds(index->closing, key, id, &view->first_hour, &view->last_hour))
        *held = true;
    return STATUS_OK;
}

enum status index_each_of(struct index *index, const char *name, uint32_t id, index_visit visit,
                          void *context, struct error *error)
{
    struct walk walk = {.index = index};
    struct index_key *keys = NULL;
    size_t count = 0;
    TRY(begin(index, error));
    enum status status = list_keys(index, name, &keys, &count, error);
    if (status != STATUS_OK)
        return end(index, status);
    if (index->shelf != NULL)
        shelf_fetch(index->shelf, name, id);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct index_view view = view_of(&keys[i]);
        bool held = false;
        if (keys[i].grade == INDEX_GRADE_DELETED)
            continue;
        status = find_one(&walk, &keys[i], id, &held, &view, error);
        if (status == STATUS_OK && held)
            status = visit(context, &view, error);
    }
    free(keys);
    return end(index, status);
}

/* ---- deletions ---- */

/* The hours at which the key's series has cells, each narrower than any range: found by halving. */
static enum status each_hour(struct walk *walk, const struct index_key *key, index_visit visit,
                             void *context, struct error *error)
{
    walk->range = (struct index_range){INT64_MIN, INT64_MAX};
    for (;;) {
        struct index_view view = view_of(key);
        roaring_bitmap_t *ids = NULL;
        TRY(collect(walk, key, &ids, &view, error));
        bool any = !roaring_bitmap_is_empty(ids);
        enum status status = STATUS_OK;
        if (any && view.first_hour != view.last_hour) {
            struct index_view last = view_of(key);
            struct walk hour = *walk;
            hour.range = (struct index_range){view.last_hour, view.last_hour + 1};
            roaring_bitmap_free(ids);
            TRY(collect(&hour, key, &ids, &last, error));
        }
        view.first_hour = view.last_hour;
        view.ids = ids;
        if (any)
            status = visit(context, &view, error);
        roaring_bitmap_free(ids);
        if (!any || status != STATUS_OK)
            return status;
        walk->range.until_hour = view.last_hour;
    }
}

enum status index_each_deleted(struct index *index, const char *name, index_visit visit,
                               void *context, struct error *error)
{
    struct walk walk = {.index = index, .gathered = id_union_new()};
    struct index_key *keys = NULL;
    size_t count = 0;
    if (walk.gathered == NULL)
        return error_no_memory(error);
    enum status status = begin(index, error);
    if (status == STATUS_OK) {
        status = list_keys(index, name, &keys, &count, error);
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            if (keys[i].grade == INDEX_GRADE_DELETED)
                status = each_hour(&walk, &keys[i], visit, context, error);
        free(keys);
        end(index, status);
    }
    id_union_free(walk.gathered);
    return status;
}

/* ---- lists ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status add_names(struct tail *tail, const char ***names, size_t *count,
                             struct error *error)
{
    const char **more = NULL;
    size_t more_count = 0;
    if (tail == NULL)
        return STATUS_OK;
    TRY(tail_partners(tail, &more, &more_count, error));
    const char **grown = realloc(*names, (*count + more_count + 1) * sizeof *grown);
    if (grown != NULL) {
        memcpy(grown + *count, more, more_count * sizeof *more);
        *count += more_count;
        *names = grown;
    }
    free(more);
    return grown == NULL ? error_no_memory(error) : STATUS_OK;
}

static enum status list_partners(struct index *index, const char ***names, size_t *count,
                                 struct error *error)
{
    struct shelf *shelf = index->shelf;
    size_t shelved = shelf == NULL ? 0 : index_file_partners(shelf->ever);
    *names = calloc(shelved + 1, sizeof **names);
    if (*names == NULL)
        return error_no_memory(error);
    for (*count = 0; *count < shelved; ++*count) {
        struct index_partner partner;
        TRY(from_shelf(index, index_file_partner(shelf->ever, *count, &partner, error)));
        (*names)[*count] = name_pool_get(&index->pool, partner.name);
    }
    TRY(add_names(index->current, names, count, error));
    return add_names(index->closing, names, count, error);
}

enum status index_partners(struct index *index, const char ***out, struct error *error)
{
    const char **names = NULL;
    size_t count = 0, kept = 0;
    TRY(begin(index, error));
    enum status status = end(index, list_partners(index, &names, &count, error));
    if (status != STATUS_OK) {
        free(names);
        return status;
    }
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[i], names[kept - 1]) != 0)
            names[kept++] = names[i];
    names[kept] = NULL;
    *out = names;
    return STATUS_OK;
}

void index_since(struct index *index, struct ledger_since *since)
{
    pthread_rwlock_rdlock(&index->swap);
    *since = index->since;
    pthread_rwlock_unlock(&index->swap);
}

void index_state(struct index *index, struct index_state *state)
{
    pthread_rwlock_rdlock(&index->swap);
    const struct shelf *shelf = index->shelf;
    *state = (struct index_state){.files = shelf == NULL ? 0 : shelf->manifest.count,
                                  .sequence = shelf == NULL ? 0 : shelf->manifest.sequence,
                                  .tail_bytes =
                                      tail_bytes(index->current) +
                                      (index->closing == NULL ? 0 : tail_bytes(index->closing)),
                                  .behind = atomic_load(&index->lost_end) > 0};
    for (size_t i = 0; i < state->files; i++)
        state->file_bytes += shelf->manifest.files[i].size;
    pthread_rwlock_unlock(&index->swap);
}
