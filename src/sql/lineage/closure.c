/* Terms are found again by comparing: a statement has tens of them. */
#include "sql/lineage/closure.h"

#include <string.h>

enum { TERMS = 512, ROWS = 256 };

struct term {
    size_t class; /* of terms with the same value: index of one of them */
    bool known;   /* by the columns of a group */
    /* A column of a row of FROM; or, where row is 0, of the row of `table` in which the unique
     * column has the argument's value. */
    size_t row;
    const struct fence *fence;
    const struct catalog_table *table;
    const struct catalog_column *column, *unique;
    size_t argument;
};

struct closure {
    struct build *build;
    struct term terms[TERMS];
    size_t count;
    uint64_t present; /* relations that have a row here */
};

/* ---- rows ---- */

struct row_path {
    size_t relation, below;
};

size_t closure_row(struct build *build, const struct relation *relation, size_t below)
{
    if (build->row_paths == NULL)
        build->row_paths = palloc0(ROWS * sizeof *build->row_paths);
    for (size_t i = 0; i < build->row_count; i++)
        if (build->row_paths[i].relation == relation->index && build->row_paths[i].below == below)
            return i + 1;
    if (build->row_count == ROWS) {
        build->proves = false; /* too many to tell apart: nothing is proved any more */
        return 0;
    }
    build->row_paths[build->row_count++] = (struct row_path){relation->index, below};
    return build->row_count;
}

/* ---- terms ---- */

static const size_t no_term = SIZE_MAX;

static size_t class_of(const struct closure *closure, size_t term)
{
    while (closure->terms[term].class != term)
        term = closure->terms[term].class;
    return term;
}

static bool is_same_term(const struct term *a, const struct term *b)
{
    return a->row == b->row && a->fence == b->fence && a->table == b->table &&
           a->column == b->column && a->unique == b->unique && a->argument == b->argument;
}

static size_t add_term(struct closure *closure, struct term term)
{
    for (size_t i = 0; i < closure->count; i++)
        if (is_same_term(&closure->terms[i], &term))
            return i;
    if (closure->count == TERMS)
        return no_term;
    term.class = closure->count;
    closure->terms[closure->count] = term;
    return closure->count++;
}

static size_t column_term(struct closure *closure, size_t row, const struct fence *fence,
                          const struct catalog_column *column)
{
    if (row == 0 || column == NULL)
        return no_term;
    return add_term(closure, (struct term){.row = row,
                                           .fence = fence,
                                           .table = fence->grant->dataset->table,
                                           .column = column});
}

/* The subject's key: a column of the row, or what its path leads to. */
static size_t key_term(struct closure *closure, size_t row, const struct fence *fence,
                       size_t subject)
{
    const struct model_subject *path = &fence->grant->dataset->subjects[subject];
    const struct catalog_column *first =
        path->hop_count == 0 ? path->key : path->hops[0].child_column;
    size_t term = column_term(closure, row, fence, first);
    for (size_t h = 0; h < path->hop_count && term != no_term; h++)
        term = add_term(closure, (struct term){.table = path->hops[h].parent->table,
                                               .unique = path->hops[h].parent_column,
                                               .column = h + 1 < path->hop_count
                                                             ? path->hops[h + 1].child_column
                                                             : path->key,
                                               .argument = term});
    return term;
}

static bool unite(struct closure *closure, size_t a, size_t b)
{
    if (a == no_term || b == no_term)
        return false;
    a = class_of(closure, a);
    b = class_of(closure, b);
    closure->terms[a > b ? a : b].class = a > b ? b : a;
    return a != b;
}

static bool are_equal(const struct closure *closure, size_t a, size_t b)
{
    return a != no_term && b != no_term && class_of(closure, a) == class_of(closure, b);
}

/* ---- closing ---- */

/* Do two values lead to one row, or one to the row that stands in FROM itself? */
static bool close_lookup(struct closure *closure, size_t lookup)
{
    struct term *term = &closure->terms[lookup];
    bool more = false;
    for (size_t i = 0; i < closure->count; i++) {
        const struct term other = closure->terms[i];
        if (i == lookup || other.table != term->table)
            continue;
        if (other.row == 0 && other.unique == term->unique && other.column == term->column &&
            are_equal(closure, other.argument, term->argument))
            more = unite(closure, i, lookup) || more;
        if (other.row != 0 && other.column == term->unique && term->unique->not_null &&
            are_equal(closure, i, term->argument))
            more = unite(closure, lookup,
                         column_term(closure, other.row, other.fence, term->column)) ||
                   more;
    }
    return more;
}

/* Values that two rows of one table have in the column, equal? */
static bool agree_in(struct closure *closure, const struct term *a, const struct term *b,
                     const struct catalog_column *column)
{
    return column->not_null && are_equal(closure, column_term(closure, a->row, a->fence, column),
                                         column_term(closure, b->row, b->fence, column));
}

static bool agree_in_key(struct closure *closure, const struct term *a, const struct term *b,
                         const struct catalog_key *key)
{
    for (size_t c = 0; c < key->column_count; c++)
        if (!agree_in(closure, a, b, key->columns[c]))
            return false;
    return true;
}

/* b's row is in a unique key as a's, whose column a is one of. */
static bool are_one_row(struct closure *closure, const struct term *a, const struct term *b)
{
    if (a->column->unique && agree_in(closure, a, b, a->column))
        return true;
    for (size_t k = 0; k < a->table->key_count; k++)
        if (agree_in_key(closure, a, b, &a->table->keys[k]))
            return true;
    return false;
}

static bool merge_rows(struct closure *closure, const struct term *a, const struct term *b)
{
    bool more = false;
    for (size_t i = 0, count = closure->count; i < count; i++) {
        const struct term term = closure->terms[i];
        if (term.row == a->row)
            more = unite(closure, i, column_term(closure, b->row, b->fence, term.column)) || more;
        else if (term.row == b->row)
            more = unite(closure, i, column_term(closure, a->row, a->fence, term.column)) || more;
    }
    return more;
}

static bool close_rows(struct closure *closure, size_t index)
{
    const struct term a = closure->terms[index];
    bool more = false;
    for (size_t i = 0; i < index; i++) {
        const struct term b = closure->terms[i];
        if (b.row != 0 && b.row != a.row && b.table == a.table && b.column == a.column &&
            are_equal(closure, i, index) && are_one_row(closure, &a, &b))
            more = merge_rows(closure, &a, &b) || more;
    }
    return more;
}

/* "=" between such columns is transitive, and means one key. */
static bool are_comparable(uint32_t a, uint32_t b)
{
    bool integers = (a == TYPE_INT2 || a == TYPE_INT4 || a == TYPE_INT8) &&
                    (b == TYPE_INT2 || b == TYPE_INT4 || b == TYPE_INT8);
    bool texts = (a == TYPE_TEXT || a == TYPE_VARCHAR) && (b == TYPE_TEXT || b == TYPE_VARCHAR);
    return integers || texts || (a == b && (a == TYPE_UUID || a == TYPE_DATE));
}

static bool are_one_value(const struct catalog_column *a, const struct catalog_column *b)
{
    return a->deterministic && b->deterministic && are_comparable(a->type_oid, b->type_oid);
}

/* Another column of the row, by what a foreign key says that the row which its value leads to has.
 */
static bool close_agreement(struct closure *closure, size_t index,
                            const struct catalog_agreement *agreement)
{
    const struct term term = closure->terms[index];
    const struct catalog_table *table =
        catalog_find_oid(model_catalog(closure->build->model), agreement->table);
    if (table == NULL)
        return false;
    const struct catalog_column *unique = catalog_find_column(table, agreement->table_column);
    const struct catalog_column *other = catalog_find_column(table, agreement->table_other);
    if (unique == NULL || other == NULL || !unique->unique || !unique->not_null ||
        !are_one_value(agreement->column, unique) || !are_one_value(agreement->other, other))
        return false;
    size_t found = add_term(
        closure,
        (struct term){.table = table, .unique = unique, .column = other, .argument = index});
    return unite(closure, found, column_term(closure, term.row, term.fence, agreement->other));
}

static bool close_agreements(struct closure *closure, size_t index)
{
    const struct term term = closure->terms[index];
    bool more = false;
    for (size_t i = 0; i < term.table->agreement_count; i++)
        if (term.table->agreements[i].column == term.column)
            more = close_agreement(closure, index, &term.table->agreements[i]) || more;
    return more;
}

static bool close_term(struct closure *closure, size_t index)
{
    if (closure->terms[index].row == 0)
        return close_lookup(closure, index);
    bool more = close_rows(closure, index);
    return close_agreements(closure, index) || more;
}

static void close(struct closure *closure)
{
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < closure->count; i++)
            more = close_term(closure, i) || more;
    }
}

/* ---- what the statement says ---- */

static struct relation *relation_called(const struct build *build, const char *alias)
{
    for (size_t i = 0; i < build->relation_count; i++)
        if (strcmp(build->relations[i]->alias, alias) == 0)
            return build->relations[i];
    return NULL;
}

/* The relation's column of that name, or of which that is the hidden name of the raw value. */
static const struct column *column_called(const struct relation *relation, const char *name,
                                          bool *raw)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        *raw = relation->fence != NULL && relation->fence->raw[column->granted] != NULL &&
               strcmp(relation->fence->raw[column->granted], name) == 0;
        if (*raw || strcmp(column->emit, name) == 0)
            return column;
    }
    return NULL;
}

/* The column of a fence's row that the reference is, whose equality is that of stored values: not
 * masked, its texts equal just when their bytes are. as_token: a token will do. */
static size_t reference_term(struct closure *closure, const Node *node, bool as_token,
                             const struct relation **relation)
{
    if (node == NULL || !IsA(node, ColumnRef) ||
        list_length(((const ColumnRef *)node)->fields) != 2)
        return no_term;
    const List *fields = ((const ColumnRef *)node)->fields;
    bool raw = false;
    *relation = relation_called(closure->build, strVal(linitial(fields)));
    const struct column *column =
        *relation == NULL ? NULL : column_called(*relation, strVal(lsecond(fields)), &raw);
    if (column == NULL || column->fence == NULL)
        return no_term;
    const struct model_granted *granted = &column->fence->grant->columns[column->granted];
    bool plain = granted->form == POLICY_FORM_CLEAR && granted->mask == NULL;
    if (!granted->column->catalog->deterministic ||
        !(plain || raw || (as_token && granted->form == POLICY_FORM_TOKEN)))
        return no_term;
    return column_term(closure, closure_row(closure->build, *relation, column->row), column->fence,
                       granted->column->catalog);
}

/* Whatever equates two columns has rows of both, for NULL equals nothing. */
static bool equate(struct closure *closure, const Node *left, const Node *right)
{
    const struct relation *one, *other;
    size_t a = reference_term(closure, left, false, &one);
    size_t b = reference_term(closure, right, false, &other);
    if (a == no_term || b == no_term ||
        !are_comparable(closure->terms[a].column->type_oid, closure->terms[b].column->type_oid))
        return false;
    closure->present |= UINT64_C(1) << one->index | UINT64_C(1) << other->index;
    return unite(closure, a, b);
}

/* What the level's conditions say of rows in which these relations are there. within: relations
 * that they may speak of. */
static void assume(struct closure *closure, const struct level *level, uint64_t within)
{
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < level->conjunct_count; i++) {
            const struct conjunct *conjunct = &level->conjuncts[i];
            if ((conjunct->holds & closure->present) && !(conjunct->relations & ~within) &&
                resolve_is_equality(conjunct->node))
                more = equate(closure, ((const A_Expr *)conjunct->node)->lexpr,
                              ((const A_Expr *)conjunct->node)->rexpr) ||
                       more;
        }
    }
}

static struct closure *start(struct build *build)
{
    struct closure *closure = palloc0(sizeof *closure);
    closure->build = build;
    return closure;
}

static uint64_t never_missing(const struct level *level)
{
    uint64_t all = 0;
    for (size_t i = 0; i < level->relation_count; i++)
        if (!level->relations[i]->extended)
            all |= UINT64_C(1) << level->relations[i]->index;
    return all;
}

static const struct policy_subject *subject_of(const struct carried_key *key)
{
    return &key->fence->grant->dataset->policy->subjects[key->subject];
}

/* Can `kept` be recorded in the other's stead, if both are one value? */
static bool may_stand_for(const struct carried_key *kept, const struct carried_key *other)
{
    return subject_of(kept)->kind == subject_of(other)->kind && kept->depth == 0 &&
           (subject_of(other)->when_null != POLICY_NULL_REFUSE ||
            subject_of(kept)->when_null == POLICY_NULL_REFUSE);
}

/* ---- one key for several ---- */

/* A key of a fence in FROM, there on every row. */
static bool is_plain(const struct carried_key *key)
{
    return IsA(key->node, ColumnRef) && key->grade == PLAN_GRADE_DIRECT && !key->extended &&
           !key->threshold_only;
}

static size_t hops_of(const struct carried_key *key)
{
    return key->fence->grant->dataset->subjects[key->subject].hop_count;
}

static bool costs_less(const struct level *level, size_t a, size_t b)
{
    const struct carried_key *one = &level->body[a], *other = &level->body[b];
    if (one->depth != other->depth)
        return one->depth < other->depth;
    return hops_of(one) != hops_of(other) ? hops_of(one) < hops_of(other) : a < b;
}

/* The best of the keys that may be carried in this one's stead; itself if there is none. Whoever it
 * is, nothing stands for it in turn. */
static size_t stand_in(const struct level *level, const struct closure *closure,
                       const size_t *terms, size_t key)
{
    size_t best = key;
    for (size_t k = 0; k < level->body_count; k++)
        if (terms[k] != no_term && are_equal(closure, terms[k], terms[key]) &&
            may_stand_for(&level->body[k], &level->body[key]) && costs_less(level, k, best))
            best = k;
    return best;
}

static void drop_keys(struct level *level, const size_t *stand_ins)
{
    size_t kept = 0;
    for (size_t k = 0; k < level->body_count; k++) {
        const struct carried_key *key = &level->body[k];
        struct carried_key *other = &level->body[stand_ins[k]];
        if (other == key)
            continue;
        other->also |= lineage_fences(key, 1);
        plan_explain(level->build, "lineage", "the key by dataset %s is that by dataset %s",
                     key->fence->grant->dataset->policy->name,
                     other->fence->grant->dataset->policy->name);
    }
    for (size_t k = 0; k < level->body_count; k++)
        if (stand_ins[k] == k)
            level->body[kept++] = level->body[k];
    level->body_count = kept;
}

void closure_reduce(struct level *level)
{
    if (!level->build->proves || level->body_count < 2 || level->conjunct_count == 0)
        return;
    struct closure *closure = start(level->build);
    size_t *terms = palloc0(level->body_count * sizeof *terms);
    size_t *stand_ins = palloc0(level->body_count * sizeof *stand_ins);
    closure->present = never_missing(level);
    for (size_t k = 0; k < level->body_count; k++) {
        const struct carried_key *key = &level->body[k];
        terms[k] = is_plain(key) ? key_term(closure, key->row, key->fence, key->subject) : no_term;
    }
    assume(closure, level, plan_own_relations(level));
    close(closure);
    for (size_t k = 0; k < level->body_count; k++)
        stand_ins[k] = terms[k] == no_term ? k : stand_in(level, closure, terms, k);
    if (level->build->proves)
        drop_keys(level, stand_ins);
}

/* ---- sub-selects in expressions ---- */

/* x IN (SELECT y …) as a conjunct: rows with another y do not matter, if which rows there are does
 * not hang on them. */
static void assume_membership(struct closure *closure, const struct resolver *resolver,
                              const SubLink *node, const struct level *inner,
                              const struct expression *test)
{
    bool equals = node->subLinkType == ANY_SUBLINK &&
                  (node->operName == NIL || strcmp(strVal(llast(node->operName)), "=") == 0);
    if (!equals || resolver->sublinks != SUBLINK_CONJUNCT || inner->picks || inner->grouping_sets ||
        inner->windows || inner->target_count != 1)
        return;
    (void)equate(closure, test->node, inner->targets[0].value.node);
}

static struct fence *person_around(struct closure *closure, const struct resolver *resolver,
                                   const struct carried_key *inner)
{
    size_t wanted = key_term(closure, inner->row, inner->fence, inner->subject);
    for (; resolver != NULL; resolver = resolver->level->outer) {
        for (size_t i = resolver->names->first;
             resolver->mode != RESOLVE_GROUPED && i < resolver->names->end; i++) {
            const struct relation *relation = resolver->level->relations[i];
            for (size_t k = 0; k < relation->key_count; k++) {
                const struct carried_key *key = &relation->keys[k];
                size_t term = key_term(closure, closure_row(closure->build, relation, key->row),
                                       key->fence, key->subject);
                close(closure);
                if (are_equal(closure, term, wanted) && may_stand_for(key, inner))
                    return key->fence;
            }
        }
    }
    return NULL;
}

bool closure_same_people(const struct resolver *resolver, const SubLink *node,
                         const struct level *inner, const struct expression *test)
{
    struct build *build = resolver->build;
    if (!build->proves || inner->body_count == 0 || inner->above_groups_count > 0 ||
        inner->from_picks || (inner->body_changes | inner->body_grows) != 0)
        return false;
    struct closure *closure = start(build);
    struct fence **around = palloc0(inner->body_count * sizeof *around);
    closure->present = plan_own_relations(inner);
    assume_membership(closure, resolver, node, inner, test);
    assume(closure, inner, UINT64_MAX);
    for (const struct resolver *at = resolver; at != NULL; at = at->level->outer)
        assume(closure, at->level, UINT64_MAX);
    for (size_t k = 0; k < inner->body_count; k++) {
        around[k] = person_around(closure, resolver, &inner->body[k]);
        if (around[k] == NULL || !build->proves)
            return false;
    }
    for (size_t k = 0; k < inner->body_count; k++)
        around[k]->also |= lineage_fences(&inner->body[k], 1);
    plan_explain(build, "lineage", "a sub-select in %s is about the person of the row around it",
                 resolver->place);
    return true;
}

/* ---- outer joins ---- */

/* The same person as that of a row of the other side, where there is a row. */
static bool follows(struct closure *closure, const struct level *level,
                    const struct relation *relation, const struct carried_key *key,
                    const struct names *kept)
{
    size_t wanted = key_term(closure, closure_row(closure->build, relation, key->row), key->fence,
                             key->subject);
    for (size_t i = kept->first; i < kept->end; i++) {
        const struct relation *other = level->relations[i];
        for (size_t k = 0; k < other->key_count; k++) {
            size_t term = key_term(closure, closure_row(closure->build, other, other->keys[k].row),
                                   other->keys[k].fence, other->keys[k].subject);
            close(closure);
            if (are_equal(closure, term, wanted) && may_stand_for(&other->keys[k], key))
                return true;
        }
    }
    return false;
}

static uint64_t about_nobody(const struct build *build)
{
    uint64_t fences = 0;
    for (size_t f = 0; f < build->fence_count; f++)
        if (build->fences[f]->grant->dataset->subject_count == 0)
            fences |= UINT64_C(1) << f;
    return fences;
}

uint64_t closure_follows(const struct level *level, const struct names *side,
                         const struct names *kept)
{
    uint64_t good = 0, bad = 0, known = 0;
    if (!level->build->proves)
        return 0;
    for (size_t i = side->first; i < side->end; i++) {
        const struct relation *relation = level->relations[i];
        struct closure *closure = start(level->build);
        closure->present = UINT64_C(1) << relation->index;
        assume(closure, level, plan_own_relations(level));
        for (size_t k = 0; k < relation->key_count; k++) {
            bool proved = relation->changes == 0 && relation->grows == 0 &&
                          follows(closure, level, relation, &relation->keys[k], kept);
            known |= lineage_fences(&relation->keys[k], 1);
            *(proved ? &good : &bad) |= lineage_fences(&relation->keys[k], 1);
        }
        bad |= relation->fences & ~known; /* of these nothing is carried */
    }
    return level->build->proves ? (good & ~bad) | about_nobody(level->build) : 0;
}

/* ---- groups ---- */

/* A row is known by a unique key of it. */
static bool knows_row(struct closure *closure, const struct term *term)
{
    for (size_t i = 0; i < closure->count; i++) {
        const struct term other = closure->terms[i];
        if (other.row == term->row && other.column->unique && other.column->not_null &&
            closure->terms[class_of(closure, i)].known)
            return true;
    }
    for (size_t k = 0; k < term->table->key_count; k++) {
        const struct catalog_key *key = &term->table->keys[k];
        bool all = true;
        for (size_t c = 0; all && c < key->column_count; c++) {
            size_t part = column_term(closure, term->row, term->fence, key->columns[c]);
            all = part != no_term && closure->terms[class_of(closure, part)].known;
        }
        if (all)
            return true;
    }
    return false;
}

/* What is known leads to more: the row that a value finds, the columns of a row. */
static void spread(struct closure *closure)
{
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < closure->count; i++) {
            const struct term term = closure->terms[i];
            size_t class = class_of(closure, i);
            if (closure->terms[class].known)
                continue;
            more = closure->terms[class].known =
                term.row == 0 ? closure->terms[class_of(closure, term.argument)].known
                              : knows_row(closure, &term);
            if (more)
                break;
        }
    }
}

/* A column that is NULL says of the key what the key itself would. */
static bool shows_null(const struct carried_key *key)
{
    return subject_of(key)->when_null != POLICY_NULL_REFUSE ||
           key->fence->grant->dataset->subjects[key->subject].never_null;
}

bool closure_determines(const struct level *level, const struct carried_key *key, Node **column)
{
    const struct relation *relation;
    *column = NULL;
    if (!level->build->proves || level->grouping_sets || key->depth != 0 || !is_plain(key))
        return false;
    struct closure *closure = start(level->build);
    size_t *terms = palloc0((level->group_count + 1) * sizeof *terms);
    size_t wanted = key_term(closure, key->row, key->fence, key->subject);
    closure->present = never_missing(level);
    for (size_t g = 0; g < level->group_count; g++)
        terms[g] = reference_term(closure, level->groups[g].plain, true, &relation);
    assume(closure, level, plan_own_relations(level));
    close(closure);
    for (size_t g = 0; g < level->group_count; g++) {
        size_t direct = reference_term(closure, level->groups[g].plain, false, &relation);
        if (terms[g] == no_term)
            continue;
        closure->terms[class_of(closure, terms[g])].known = true;
        if (are_equal(closure, direct, wanted) && shows_null(key))
            *column = level->groups[g].guarded;
    }
    spread(closure);
    return level->build->proves && wanted != no_term &&
           closure->terms[class_of(closure, wanted)].known;
}

/* The key, on all rows of the level, of the one person of each group, whose key this one is too
 * wherever it is there; NULL: there is none. */
static const struct carried_key *owner_of(const struct level *level, const struct carried_key *key)
{
    Node *column;
    if (!level->build->proves || key->row == 0 || !IsA(key->node, ColumnRef))
        return NULL;
    struct closure *closure = start(level->build);
    size_t wanted = key_term(closure, key->row, key->fence, key->subject);
    closure->present = never_missing(level) | UINT64_C(1)
                                                  << level->build->row_paths[key->row - 1].relation;
    assume(closure, level, plan_own_relations(level));
    for (size_t k = 0; k < level->body_count; k++) {
        const struct carried_key *other = &level->body[k];
        if (!is_plain(other) || !may_stand_for(other, key))
            continue;
        size_t term = key_term(closure, other->row, other->fence, other->subject);
        close(closure);
        if (are_equal(closure, term, wanted) && closure_determines(level, other, &column))
            return other;
    }
    return NULL;
}

bool closure_belongs(const struct level *level, const struct carried_key *key)
{
    return owner_of(level, key) != NULL;
}

void closure_reduce_groups(struct level *level)
{
    size_t *stand_ins = palloc0((level->body_count + 1) * sizeof *stand_ins);
    for (size_t k = 0; k < level->body_count; k++) {
        const struct carried_key *key = &level->body[k], *owner = NULL;
        if (key->extended && !key->absent && key->depth == 0 && key->grade == PLAN_GRADE_DIRECT)
            owner = owner_of(level, key);
        stand_ins[k] = owner == NULL ? k : (size_t)(owner - level->body);
    }
    if (level->build->proves)
        drop_keys(level, stand_ins);
}
