/* Facts and classes while a ledger is read. A class is a sorted set of facts; class 0 is the empty
 * one. Both are interned, so that a person needs a class number only, and the step "this class, and
 * these columns in this grade" is remembered. Texts are copied. One thread; owned by the scan. */
#ifndef COFFERDAM_INCIDENT_SCOPE_CLASSES_H
#define COFFERDAM_INCIDENT_SCOPE_CLASSES_H

#include "base/arena.h"
#include "incident/scope.h"

/* Open addressing, at most half full: classes by their content, and steps by what they begin with.
 * number is one too many and no step leads to class 0, so 0 marks a free place. */
struct scope_content {
    uint32_t hash, number;
};
struct scope_step {
    uint32_t class, facts, result;
};

struct scope_classes {
    struct arena arena;
    struct scope_fact *facts;
    size_t fact_count, fact_capacity;
    struct scope_class *classes;
    size_t class_count, class_capacity;
    struct scope_content *contents;
    size_t content_capacity;
    struct scope_step *steps;
    size_t step_count, step_capacity;
    const char **sets; /* texts of column sets by id - 1; NULL: not defined yet */
    size_t set_count, set_capacity;
    uint32_t *set_facts; /* [id * SCOPE_GRADES + grade]: a class of just these facts; 0: none yet */
    size_t set_facts_count;
};

MUST_USE enum status scope_classes_init(struct scope_classes *classes, struct error *error);
void scope_classes_free(struct scope_classes *classes);

/* From a column-set entry. STATUS_CORRUPT unless ids are dense and every line is one. */
MUST_USE enum status scope_classes_define(struct scope_classes *classes, uint32_t id,
                                          struct slice text, struct error *error);
/* The canonical text; "" for 0; NULL where it is not defined. */
const char *scope_classes_set(const struct scope_classes *classes, uint32_t id);
/* The class that holds just the facts of a column set in a grade. */
MUST_USE enum status scope_classes_of_set(struct scope_classes *classes, uint32_t column_set,
                                          enum scope_grade grade, uint32_t *class,
                                          struct error *error);
/* The union of two classes. */
MUST_USE enum status scope_classes_join(struct scope_classes *classes, uint32_t class,
                                        uint32_t facts, uint32_t *result, struct error *error);
/* Leaves what is used only, in an order that does not depend on the ledger's: facts by dataset,
 * column, category, form, grade; classes by their facts. used[class] becomes its new number. */
MUST_USE enum status scope_classes_settle(struct scope_classes *classes, uint32_t *used,
                                          struct error *error);

/* Room for one more element in *array, a pointer that is freed with free(). */
MUST_USE enum status scope_grow(void *array, size_t count, size_t *capacity, size_t size,
                                struct error *error);

#endif
