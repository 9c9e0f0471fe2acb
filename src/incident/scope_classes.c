/* Interning of facts and classes. */
#include "incident/scope_classes.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/column_line.h"

enum {
    FIRST_CAPACITY = 64,
    FACTS_IN_A_CLASS = 65536,
};
static const size_t ARENA_BYTES = (size_t)4 << 30;

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for the scope's classes");
}

enum status scope_grow(void *array, size_t count, size_t *capacity, size_t size,
                       struct error *error)
{
    void *old;
    if (count < *capacity)
        return STATUS_OK;
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    memcpy(&old, array, sizeof old);
    void *grown = reallocarray(old, wanted, size);
    if (grown == NULL)
        return out_of_memory(error);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return STATUS_OK;
}

/* ---- classes ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / golden ratio, as Knuth's */
    return hash ^ hash >> 29;
}

static uint32_t content_hash(const uint32_t *facts, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = mix(hash, facts[i]);
    return (uint32_t)(hash ^ hash >> 32);
}

static enum status grow_contents(struct scope_classes *classes, struct error *error)
{
    if (classes->class_count * 2 < classes->content_capacity)
        return STATUS_OK;
    size_t capacity =
        classes->content_capacity == 0 ? FIRST_CAPACITY : classes->content_capacity * 2;
    struct scope_content *contents = calloc(capacity, sizeof *contents);
    if (contents == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < classes->content_capacity; i++) {
        if (classes->contents[i].number == 0)
            continue;
        size_t at = classes->contents[i].hash & (capacity - 1);
        while (contents[at].number != 0)
            at = (at + 1) & (capacity - 1);
        contents[at] = classes->contents[i];
    }
    free(classes->contents);
    classes->contents = contents;
    classes->content_capacity = capacity;
    return STATUS_OK;
}

static bool has_content(const struct scope_class *class, const uint32_t *facts, size_t count)
{
    return class->fact_count == count && memcmp(class->facts, facts, count * sizeof *facts) == 0;
}

/* The class with these facts (ascending), made where there is none. */
static enum status intern(struct scope_classes *classes, const uint32_t *facts, size_t count,
                          uint32_t *number, struct error *error)
{
    TRY(grow_contents(classes, error));
    uint32_t hash = content_hash(facts, count);
    size_t mask = classes->content_capacity - 1, at = hash & mask;
    for (; classes->contents[at].number != 0; at = (at + 1) & mask) {
        uint32_t found = classes->contents[at].number - 1;
        if (classes->contents[at].hash == hash &&
            has_content(&classes->classes[found], facts, count)) {
            *number = found;
            return STATUS_OK;
        }
    }
    TRY(scope_grow(&classes->classes, classes->class_count, &classes->class_capacity,
                   sizeof *classes->classes, error));
    uint32_t *copy = arena_array(&classes->arena, uint32_t, count + 1);
    if (copy == NULL)
        return out_of_memory(error);
    memcpy(copy, facts, count * sizeof *facts);
    *number = (uint32_t)classes->class_count++;
    classes->classes[*number] = (struct scope_class){.facts = copy, .fact_count = count};
    classes->contents[at] = (struct scope_content){.hash = hash, .number = *number + 1};
    return STATUS_OK;
}

enum status scope_classes_init(struct scope_classes *classes, struct error *error)
{
    static const uint32_t nothing[1];
    uint32_t empty;
    *classes = (struct scope_classes){0};
    arena_init(&classes->arena, ARENA_BYTES);
    return intern(classes, nothing, 0, &empty, error);
}

void scope_classes_free(struct scope_classes *classes)
{
    arena_free(&classes->arena);
    free(classes->facts);
    free(classes->classes);
    free(classes->contents);
    free(classes->steps);
    free(classes->sets);
    free(classes->set_facts);
    *classes = (struct scope_classes){0};
}

/* ---- column sets and facts ---- */

static enum status malformed(uint32_t id, struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the ledger's column set %u has a line that is none", id);
}

enum status scope_classes_define(struct scope_classes *classes, uint32_t id, struct slice text,
                                 struct error *error)
{
    struct column_line line;
    if (id != classes->set_count + 1)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "the ledger defines column set %u where %zu would be the next", id,
                         classes->set_count + 1);
    TRY(scope_grow(&classes->sets, classes->set_count, &classes->set_capacity,
                   sizeof *classes->sets, error));
    const char *copy = arena_copy(&classes->arena, (const char *)text.data, text.len);
    if (copy == NULL)
        return out_of_memory(error);
    for (const char *rest = copy + strspn(copy, "\n"); *rest != '\0';)
        if (!column_line_next(&rest, &line))
            return malformed(id, error);
    classes->sets[classes->set_count++] = copy;
    return STATUS_OK;
}

const char *scope_classes_set(const struct scope_classes *classes, uint32_t id)
{
    if (id == 0)
        return "";
    return id <= classes->set_count ? classes->sets[id - 1] : NULL;
}

static bool same_text(const char *text, struct slice slice)
{
    return slice_equal(slice_of_text(text == NULL ? "" : text), slice);
}

static const char *copy_text(struct scope_classes *classes, struct slice slice)
{
    return arena_copy(&classes->arena, (const char *)slice.data, slice.len);
}

/* A line without a dataset is none: that the person is there. */
static struct scope_fact make_fact(struct scope_classes *classes, const struct column_line *line,
                                   enum scope_grade grade)
{
    struct scope_fact fact = {.grade = grade};
    if (line->dataset.len == 0)
        return fact;
    fact.dataset = copy_text(classes, line->dataset);
    fact.column = copy_text(classes, line->column);
    fact.category = line->category.len == 0 ? NULL : copy_text(classes, line->category);
    fact.form = copy_text(classes, line->form);
    return fact;
}

static enum status find_fact(struct scope_classes *classes, const struct column_line *line,
                             enum scope_grade grade, uint32_t *fact, struct error *error)
{
    for (size_t i = 0; i < classes->fact_count; i++) {
        const struct scope_fact *known = &classes->facts[i];
        if (known->grade == grade && same_text(known->dataset, line->dataset) &&
            same_text(known->column, line->column) && same_text(known->form, line->form) &&
            same_text(known->category, line->category)) {
            *fact = (uint32_t)i;
            return STATUS_OK;
        }
    }
    if (classes->fact_count == FACTS_IN_A_CLASS)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "the partner was given more than %d different columns", FACTS_IN_A_CLASS);
    TRY(scope_grow(&classes->facts, classes->fact_count, &classes->fact_capacity,
                   sizeof *classes->facts, error));
    classes->facts[classes->fact_count] = make_fact(classes, line, grade);
    *fact = (uint32_t)classes->fact_count++;
    return classes->arena.overflowed ? out_of_memory(error) : STATUS_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static size_t sort_unique(uint32_t *numbers, size_t count)
{
    size_t kept = 0;
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

static enum status make_set_class(struct scope_classes *classes, const char *text,
                                  enum scope_grade grade, uint32_t *class, struct error *error)
{
    struct column_line line = {0};
    size_t count = 0, room = 1;
    for (const char *at = text; *at != '\0'; at++)
        room += *at == '\n';
    uint32_t *facts = calloc(room + 1, sizeof *facts);
    if (facts == NULL)
        return out_of_memory(error);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && column_line_next(&text, &line))
        status = find_fact(classes, &line, grade, &facts[count++], error);
    if (count == 0) /* not one column: that the person is there was told */
        status = find_fact(classes, &(struct column_line){0}, grade, &facts[count++], error);
    if (status == STATUS_OK)
        status = intern(classes, facts, sort_unique(facts, count), class, error);
    free(facts);
    return status;
}

enum status scope_classes_of_set(struct scope_classes *classes, uint32_t column_set,
                                 enum scope_grade grade, uint32_t *class, struct error *error)
{
    const char *text = scope_classes_set(classes, column_set);
    size_t at = (size_t)column_set * SCOPE_GRADES + grade;
    if (text == NULL)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "the ledger uses column set %u before it defines it", column_set);
    if (at >= classes->set_facts_count) {
        size_t count = (classes->set_count + 1) * SCOPE_GRADES;
        uint32_t *grown = reallocarray(classes->set_facts, count, sizeof *grown);
        if (grown == NULL)
            return out_of_memory(error);
        memset(grown + classes->set_facts_count, 0,
               (count - classes->set_facts_count) * sizeof *grown);
        classes->set_facts = grown;
        classes->set_facts_count = count;
    }
    if (classes->set_facts[at] == 0)
        TRY(make_set_class(classes, text, grade, &classes->set_facts[at], error));
    *class = classes->set_facts[at];
    return STATUS_OK;
}

/* ---- steps ---- */

static uint64_t step_hash(uint32_t class, uint32_t facts)
{
    return mix(mix(0, class), facts);
}

static enum status grow_steps(struct scope_classes *classes, struct error *error)
{
    if (classes->step_count * 2 < classes->step_capacity)
        return STATUS_OK;
    size_t capacity = classes->step_capacity == 0 ? FIRST_CAPACITY : classes->step_capacity * 2;
    struct scope_step *steps = calloc(capacity, sizeof *steps);
    if (steps == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < classes->step_capacity; i++) {
        if (classes->steps[i].result == 0)
            continue;
        size_t at = step_hash(classes->steps[i].class, classes->steps[i].facts) & (capacity - 1);
        while (steps[at].result != 0)
            at = (at + 1) & (capacity - 1);
        steps[at] = classes->steps[i];
    }
    free(classes->steps);
    classes->steps = steps;
    classes->step_capacity = capacity;
    return STATUS_OK;
}

static enum status merge(struct scope_classes *classes, uint32_t a, uint32_t b, uint32_t *result,
                         struct error *error)
{
    const struct scope_class left = classes->classes[a], right = classes->classes[b];
    uint32_t *facts = calloc(left.fact_count + right.fact_count + 1, sizeof *facts);
    if (facts == NULL)
        return out_of_memory(error);
    size_t count = 0, i = 0, j = 0;
    while (i < left.fact_count || j < right.fact_count) {
        bool take_left =
            j == right.fact_count || (i < left.fact_count && left.facts[i] <= right.facts[j]);
        facts[count++] = take_left ? left.facts[i] : right.facts[j];
        j += !take_left || (j < right.fact_count && left.facts[i] == right.facts[j]);
        i += take_left;
    }
    enum status status = intern(classes, facts, count, result, error);
    free(facts);
    return status;
}

/* No step leads to class 0, the empty one, so that 0 marks a free place. */
enum status scope_classes_join(struct scope_classes *classes, uint32_t class, uint32_t facts,
                               uint32_t *result, struct error *error)
{
    TRY(grow_steps(classes, error));
    size_t mask = classes->step_capacity - 1, at = step_hash(class, facts) & mask;
    for (; classes->steps[at].result != 0; at = (at + 1) & mask)
        if (classes->steps[at].class == class && classes->steps[at].facts == facts) {
            *result = classes->steps[at].result;
            return STATUS_OK;
        }
    uint32_t joined;
    TRY(merge(classes, class, facts, &joined, error));
    classes->steps[at] = (struct scope_step){.class = class, .facts = facts, .result = joined};
    classes->step_count++;
    *result = joined;
    return STATUS_OK;
}

/* ---- settling ---- */

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

static int compare_facts(const void *a, const void *b, void *context)
{
    const struct scope_fact *facts = context;
    const struct scope_fact *left = &facts[*(const uint32_t *)a];
    const struct scope_fact *right = &facts[*(const uint32_t *)b];
    int order = compare_texts(left->dataset, right->dataset);
    if (order == 0)
        order = compare_texts(left->column, right->column);
    if (order == 0)
        order = compare_texts(left->category, right->category);
    if (order == 0)
        order = compare_texts(left->form, right->form);
    return order != 0 ? order : (left->grade > right->grade) - (left->grade < right->grade);
}

static int compare_classes(const void *a, const void *b, void *context)
{
    const struct scope_class *classes = context;
    const struct scope_class *left = &classes[*(const uint32_t *)a];
    const struct scope_class *right = &classes[*(const uint32_t *)b];
    for (size_t i = 0; i < left->fact_count && i < right->fact_count; i++)
        if (left->facts[i] != right->facts[i])
            return left->facts[i] < right->facts[i] ? -1 : 1;
    return (left->fact_count > right->fact_count) - (left->fact_count < right->fact_count);
}

/* Numbers 0 … count-1 in order; owned. */
static uint32_t *sorted_numbers(size_t count, int (*compare)(const void *, const void *, void *),
                                void *context)
{
    uint32_t *numbers = calloc(count + 1, sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = (uint32_t)i;
    if (numbers != NULL)
        qsort_r(numbers, count, sizeof *numbers, compare, context);
    return numbers;
}

/* Facts that some used class holds, in order; rank[old] is the new number. */
static enum status settle_facts(struct scope_classes *classes, const uint32_t *used, uint32_t *rank,
                                struct error *error)
{
    uint32_t *order = sorted_numbers(classes->fact_count, compare_facts, classes->facts);
    struct scope_fact *facts = calloc(classes->fact_count + 1, sizeof *facts);
    if (order == NULL || facts == NULL) {
        free(order);
        free(facts);
        return out_of_memory(error);
    }
    for (size_t i = 0; i < classes->class_count; i++)
        for (size_t j = 0; used[i] != 0 && j < classes->classes[i].fact_count; j++)
            rank[classes->classes[i].facts[j]] = 1;
    size_t count = 0;
    for (size_t i = 0; i < classes->fact_count; i++) {
        if (rank[order[i]] == 0)
            continue;
        facts[count] = classes->facts[order[i]];
        rank[order[i]] = (uint32_t)count++;
    }
    free(order);
    free(classes->facts);
    classes->facts = facts;
    classes->fact_count = count;
    return STATUS_OK;
}

/* The used classes with their facts renumbered, and the number that each had. */
static enum status renumber(struct scope_classes *classes, const uint32_t *used,
                            const uint32_t *rank, struct scope_class *kept, uint32_t *was,
                            size_t *count, struct error *error)
{
    *count = 0;
    for (size_t i = 0; i < classes->class_count; i++) {
        const struct scope_class *class = &classes->classes[i];
        if (used[i] == 0)
            continue;
        uint32_t *facts = arena_array(&classes->arena, uint32_t, class->fact_count + 1);
        if (facts == NULL)
            return out_of_memory(error);
        for (size_t j = 0; j < class->fact_count; j++)
            facts[j] = rank[class->facts[j]];
        qsort(facts, class->fact_count, sizeof *facts, compare_numbers);
        kept[*count] = (struct scope_class){.facts = facts, .fact_count = class->fact_count};
        was[(*count)++] = (uint32_t)i;
    }
    return STATUS_OK;
}

enum status scope_classes_settle(struct scope_classes *classes, uint32_t *used, struct error *error)
{
    size_t count = 0;
    uint32_t *rank = calloc(classes->fact_count + 1, sizeof *rank), *order = NULL;
    uint32_t *was = calloc(classes->class_count, sizeof *was);
    struct scope_class *kept = calloc(classes->class_count, sizeof *kept);
    struct scope_class *sorted = calloc(classes->class_count, sizeof *sorted);
    enum status status = STATUS_OK;
    if (rank == NULL || was == NULL || kept == NULL || sorted == NULL)
        status = out_of_memory(error);
    if (status == STATUS_OK)
        status = settle_facts(classes, used, rank, error);
    if (status == STATUS_OK)
        status = renumber(classes, used, rank, kept, was, &count, error);
    if (status == STATUS_OK) {
        order = sorted_numbers(count, compare_classes, kept);
        status = order == NULL ? out_of_memory(error) : STATUS_OK;
    }
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            sorted[i] = kept[order[i]];
            used[was[order[i]]] = (uint32_t)i;
        }
        free(classes->classes);
        classes->classes = sorted;
        classes->class_count = count;
        sorted = NULL;
    }
    free(rank);
    free(was);
    free(kept);
    free(sorted);
    free(order);
    return status;
}
