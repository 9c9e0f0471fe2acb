/* Sources of the virtual catalogue: what this partner, agent and purpose may see now, as SELECTs
 * over constants. Invariant: a name here is a name of the policy, never one of the database; what
 * is not granted leaves no trace.
 *
 * OIDs are hashed from names, so that they stay when the gateway restarts or the policy grows; of
 * two that collide, which is rare, the later dataset of the policy moves on by one. */
#include <string.h>

#include "base/limits.h"
#include "sql/allow/allow.h"
#include "sql/virtual/virtual_private.h"

enum { PRIMARY = 'p', UNIQUE = 'u', FOREIGN = 'f' };

/* A key of a dataset over columns that are shown: as the policy and the database know it. */
struct key {
    size_t dataset, *columns, column_count; /* of `shown`; of the grant */
    char kind;
    bool declared;       /* it is the database's own primary key */
    bool filled;         /* none of its columns may be NULL */
    uint32_t oid, index; /* index: of the parent's key where kind is FOREIGN */
    size_t parent, *parent_columns;
    const struct key *unique; /* the parent's */
    const char *name;
};

struct shown {
    const struct model_grant *grant;
    uint32_t oid;
    uint32_t row_type; /* no row of pg_type, but clients take what has none for no table */
};

struct rows {
    struct build *build;
    struct shown *shown;
    size_t shown_count;
    struct key *keys;
    size_t key_count;
    uint32_t *oids; /* taken */
    size_t oid_count;
};

/* FNV-1a, over the parts and a zero behind each. */
static uint32_t hash_parts(const char *const *parts, size_t count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (uint8_t)*at) * 16777619u;
            if (*at == '\0')
                break;
        }
    return hash;
}

static bool is_taken(const struct rows *rows, uint32_t oid)
{
    for (size_t i = 0; i < rows->oid_count; i++)
        if (rows->oids[i] == oid)
            return true;
    return false;
}

static uint32_t take_oid(struct rows *rows, const char *what, const char *dataset,
                         const char *column)
{
    const char *const parts[] = {what, dataset, column};
    uint32_t range = (uint32_t)INT32_MAX - VIRTUAL_OID_FIRST;
    uint32_t at = hash_parts(parts, lengthof(parts)) % range;
    while (is_taken(rows, VIRTUAL_OID_FIRST + at))
        at = (at + 1) % range;
    rows->oids[rows->oid_count++] = VIRTUAL_OID_FIRST + at;
    return VIRTUAL_OID_FIRST + at;
}

static const char *dataset_name(const struct rows *rows, size_t dataset)
{
    return rows->shown[dataset].grant->dataset->policy->name;
}

static const char *column_name(const struct rows *rows, size_t dataset, size_t column)
{
    return rows->shown[dataset].grant->columns[column].column->policy->name;
}

/* "a_b", as PostgreSQL names what is about columns a and b. */
static const char *join_names(const struct rows *rows, const struct key *key)
{
    const char *text = column_name(rows, key->dataset, key->columns[0]);
    for (size_t i = 1; i < key->column_count; i++)
        text = psprintf("%s_%s", text, column_name(rows, key->dataset, key->columns[i]));
    return text;
}

/* PostgreSQL cuts names that are too long, between characters. */
static const char *cut_name(char *name)
{
    size_t len = strlen(name);
    if (len > LIMIT_NAME_BYTES)
        len = LIMIT_NAME_BYTES;
    while (len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80)
        len--;
    name[len] = '\0';
    return name;
}

static void name_key(struct rows *rows, struct key *key, const char *suffix)
{
    const char *dataset = dataset_name(rows, key->dataset), *columns = join_names(rows, key);
    key->name = cut_name(key->kind == PRIMARY ? psprintf("%s_%s", dataset, suffix)
                                              : psprintf("%s_%s_%s", dataset, columns, suffix));
    key->oid = take_oid(rows, suffix, dataset, columns);
    if (key->kind != FOREIGN)
        key->index = take_oid(rows, "index", dataset, columns);
}

static bool find_column(const struct model_grant *grant, const struct catalog_column *wanted,
                        size_t *column)
{
    for (*column = 0; *column < grant->column_count; (*column)++)
        if (grant->columns[*column].column->catalog == wanted)
            return true;
    return false;
}

/* Where the grant has these columns; false if it lacks one. */
static bool find_columns(const struct model_grant *grant,
                         const struct catalog_column *const *wanted, size_t count, size_t *columns)
{
    for (size_t i = 0; i < count; i++)
        if (!find_column(grant, wanted[i], &columns[i]))
            return false;
    return true;
}

/* Several columns that no two rows share; masks could make equal what differs. */
static void add_several(struct rows *rows, size_t dataset, const struct catalog_key *several)
{
    const struct model_grant *grant = rows->shown[dataset].grant;
    size_t *columns = palloc(several->column_count * sizeof *columns);
    if (!find_columns(grant, several->columns, several->column_count, columns))
        return;
    for (size_t i = 0; i < several->column_count; i++)
        if (grant->columns[columns[i]].form == POLICY_FORM_MASKED)
            return;
    rows->keys[rows->key_count++] = (struct key){.dataset = dataset,
                                                 .columns = columns,
                                                 .column_count = several->column_count,
                                                 .kind = UNIQUE,
                                                 .declared = several->primary,
                                                 .filled = true};
}

static void add_one(struct rows *rows, size_t dataset, size_t column)
{
    const struct model_granted *granted = &rows->shown[dataset].grant->columns[column];
    size_t *columns = palloc(sizeof *columns);
    columns[0] = column;
    rows->keys[rows->key_count++] = (struct key){.dataset = dataset,
                                                 .columns = columns,
                                                 .column_count = 1,
                                                 .kind = UNIQUE,
                                                 .declared = granted->column->catalog->primary,
                                                 .filled = !granted->nullable};
}

/* The owner's primary key, or else the first key that is always filled: clients look for one. */
static struct key *choose_primary(struct rows *rows, size_t first)
{
    struct key *chosen = NULL;
    for (size_t k = first; k < rows->key_count; k++) {
        struct key *key = &rows->keys[k];
        if (key->filled && (chosen == NULL || (key->declared && !chosen->declared)))
            chosen = key;
    }
    return chosen;
}

/* What no two rows share, as the partner sees them. */
static void add_unique_keys(struct rows *rows, size_t dataset)
{
    const struct model_grant *grant = rows->shown[dataset].grant;
    const struct catalog_table *table = grant->dataset->table;
    size_t first = rows->key_count;
    for (size_t c = 0; c < grant->column_count; c++)
        if (grant->columns[c].unique)
            add_one(rows, dataset, c);
    for (size_t k = 0; k < table->key_count; k++)
        add_several(rows, dataset, &table->keys[k]);
    struct key *primary = choose_primary(rows, first);
    if (primary != NULL)
        primary->kind = PRIMARY;
    for (size_t k = first; k < rows->key_count; k++)
        name_key(rows, &rows->keys[k], rows->keys[k].kind == PRIMARY ? "pkey" : "key");
}

/* Where the column stands in the key; its length if it is not there. */
static size_t position_in(const struct key *key, size_t column)
{
    size_t i = 0;
    while (i < key->column_count && key->columns[i] != column)
        i++;
    return i;
}

/* The key of a dataset over just these columns, in whatever order. */
static const struct key *unique_key(const struct rows *rows, size_t dataset, const size_t *columns,
                                    size_t count)
{
    for (size_t k = 0; k < rows->key_count; k++) {
        const struct key *key = &rows->keys[k];
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += position_in(key, columns[i]) < key->column_count;
        if (key->dataset == dataset && key->kind != FOREIGN && key->column_count == count &&
            found == count)
            return key;
    }
    return NULL;
}

/* Do the two columns show values that can be equated: both clear, or tokens of one domain? */
static bool comparable(const struct model_granted *a, const struct model_granted *b)
{
    if (a->form != b->form || a->form == POLICY_FORM_MASKED)
        return false;
    return a->form == POLICY_FORM_CLEAR || strcmp(a->column->domain, b->column->domain) == 0;
}

static bool has_foreign_key(const struct rows *rows, const struct key *wanted)
{
    for (size_t k = 0; k < rows->key_count; k++) {
        const struct key *key = &rows->keys[k];
        if (key->kind == FOREIGN && key->dataset == wanted->dataset &&
            key->column_count == wanted->column_count &&
            memcmp(key->columns, wanted->columns, key->column_count * sizeof *key->columns) == 0)
            return true;
    }
    return false;
}

/* Columns that lead to a key of another table, or of the same. */
struct link {
    const struct catalog_column *const *columns, *const *parent_columns;
    size_t column_count;
};

/* Fills in the key of the dataset at `parent` that the link leads to; false where it, or an end, is
 * not shown, or not in a form that could be compared. */
static bool refer(const struct rows *rows, const struct link *link, size_t parent, struct key *key)
{
    const struct model_grant *child = rows->shown[key->dataset].grant;
    const struct model_grant *grant = rows->shown[parent].grant;
    if (!find_columns(child, link->columns, link->column_count, key->columns) ||
        !find_columns(grant, link->parent_columns, link->column_count, key->parent_columns))
        return false;
    for (size_t i = 0; i < link->column_count; i++)
        if (!comparable(&child->columns[key->columns[i]], &grant->columns[key->parent_columns[i]]))
            return false;
    key->parent = parent;
    key->unique = unique_key(rows, parent, key->parent_columns, link->column_count);
    return key->unique != NULL;
}

static void add_foreign_key(struct rows *rows, size_t dataset, const struct link *link,
                            const struct model_dataset *parent)
{
    size_t count = link->column_count;
    struct key key = {.dataset = dataset,
                      .columns = palloc0(count * sizeof *key.columns),
                      .column_count = count,
                      .kind = FOREIGN,
                      .parent_columns = palloc0(count * sizeof *key.parent_columns)};
    if (link->columns[0] == link->parent_columns[0])
        return;
    for (size_t p = 0; p < rows->shown_count; p++) {
        if (rows->shown[p].grant->dataset != parent || !refer(rows, link, p, &key) ||
            has_foreign_key(rows, &key))
            continue;
        key.index = key.unique->index;
        name_key(rows, &key, "fkey");
        rows->keys[rows->key_count++] = key;
    }
}

static const struct model_dataset *find_dataset(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->dataset_count; i++)
        if (strcmp(model->datasets[i].policy->name, name) == 0)
            return &model->datasets[i];
    return NULL;
}

static const struct catalog_column *key_of_kind(const struct model_dataset *dataset,
                                                const char *column)
{
    for (size_t c = 0; dataset != NULL && c < dataset->column_count; c++)
        if (strcmp(dataset->columns[c].policy->name, column) == 0)
            return dataset->columns[c].catalog;
    return NULL;
}

/* What the policy says of how rows lead to people: the first step of a path, or the column that
 * holds the person's key. */
static void add_paths(struct rows *rows, size_t dataset)
{
    const struct model *model = rows->build->model;
    const struct model_dataset *bound = rows->shown[dataset].grant->dataset;
    for (size_t s = 0; s < bound->subject_count; s++) {
        const struct model_subject *subject = &bound->subjects[s];
        const struct policy_kind *kind = &model->policy->kinds[subject->policy->kind];
        const struct model_dataset *parent = find_dataset(model, kind->dataset);
        const struct catalog_column *child = subject->key, *key = key_of_kind(parent, kind->key);
        if (subject->hop_count > 0) {
            parent = subject->hops[0].parent;
            child = subject->hops[0].child_column;
            key = subject->hops[0].parent_column;
        }
        if (key != NULL && parent != bound)
            add_foreign_key(rows, dataset, &(struct link){&child, &key, 1}, parent);
    }
}

/* A foreign key of the database's own, to every dataset over the table that it refers to. */
static void add_declared(struct rows *rows, size_t dataset, const struct catalog_link *declared)
{
    size_t count = declared->column_count;
    for (size_t p = 0; p < rows->shown_count; p++) {
        const struct model_dataset *parent = rows->shown[p].grant->dataset;
        if (parent->table->oid != declared->table)
            continue;
        const struct catalog_column **columns = palloc(count * sizeof *columns);
        for (size_t i = 0; i < count; i++)
            columns[i] = catalog_find_column(parent->table, declared->table_columns[i]);
        add_foreign_key(rows, dataset, &(struct link){declared->columns, columns, count}, parent);
    }
}

static void add_links(struct rows *rows, size_t dataset)
{
    const struct catalog_table *table = rows->shown[dataset].grant->dataset->table;
    for (size_t k = 0; k < table->link_count; k++)
        add_declared(rows, dataset, &table->links[k]);
}

/* As many keys as the grant can have at most: a foreign key may refer to several datasets. */
static size_t key_room(const struct model_grant *grant, size_t datasets)
{
    const struct catalog_table *table = grant->dataset->table;
    return grant->column_count + table->key_count + grant->dataset->subject_count +
           table->link_count * datasets;
}

/* Everything that is granted now. */
static struct rows *collect(struct build *build)
{
    const struct plan_request *request = build->request;
    const struct model *model = build->model;
    struct rows *rows = palloc0(sizeof *rows);
    size_t room = 1;
    rows->build = build;
    rows->shown = palloc0((model->dataset_count + 1) * sizeof *rows->shown);
    for (size_t i = 0; i < model->dataset_count; i++) {
        const struct model_grant *grant =
            model_find_grant(model, request->partner, request->agent, request->purpose,
                             request->now_ns, model->datasets[i].policy->name);
        if (grant == NULL)
            continue;
        rows->shown[rows->shown_count++].grant = grant;
        room += key_room(grant, model->dataset_count);
    }
    rows->keys = palloc0(room * sizeof *rows->keys);
    rows->oids = palloc0((2 * rows->shown_count + 2 * room) * sizeof *rows->oids);
    for (size_t i = 0; i < rows->shown_count; i++)
        rows->shown[i].oid = take_oid(rows, "dataset", dataset_name(rows, i), "");
    for (size_t i = 0; i < rows->shown_count; i++)
        rows->shown[i].row_type = take_oid(rows, "type", dataset_name(rows, i), "");
    for (size_t i = 0; i < rows->shown_count; i++)
        add_unique_keys(rows, i);
    for (size_t i = 0; i < rows->shown_count; i++)
        add_paths(rows, i);
    for (size_t i = 0; i < rows->shown_count; i++)
        add_links(rows, i);
    return rows;
}

/* What a column is called and typed in a source. */
struct source_column {
    const char *name, *type;
};

static Node *text_or_null(const char *text)
{
    return text == NULL ? rewrite_null() : rewrite_text(text);
}

static Node *number(uint32_t value)
{
    return rewrite_integer((int)value);
}

/* SELECT CAST(v.a AS t) AS a … FROM (VALUES …) AS v (a, …); of no rows, a row of NULLs and WHERE
 * false. */
static SelectStmt *select_rows(const struct source_column *columns, size_t count, List *rows)
{
    SelectStmt *select = rewrite_new(SelectStmt), *values = rewrite_new(SelectStmt);
    List *names = NIL, *nulls = NIL;
    for (size_t i = 0; i < count; i++) {
        Node *value = rewrite_cast(rewrite_column("v", columns[i].name), columns[i].type);
        select->targetList = lappend(select->targetList, rewrite_target(value, columns[i].name));
        names = lappend(names, makeString(pstrdup(columns[i].name)));
        nulls = lappend(nulls, rewrite_null());
    }
    values->valuesLists = rows == NIL ? list_make1(nulls) : rows;
    RangeSubselect *range = rewrite_subselect(values, "v");
    range->alias->colnames = names;
    select->fromClause = list_make1(range);
    if (rows == NIL)
        select->whereClause = rewrite_boolean(false);
    return select;
}

static bool is_indexed(const struct rows *rows, size_t dataset)
{
    for (size_t k = 0; k < rows->key_count; k++)
        if (rows->keys[k].dataset == dataset && rows->keys[k].kind != FOREIGN)
            return true;
    return false;
}

/* "about customer, enquirer", or that it is about nobody. */
static const char *describe_dataset(const struct rows *rows, const struct model_dataset *dataset)
{
    const struct policy *policy = rows->build->model->policy;
    const char *text = NULL;
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const char *kind = policy->kinds[dataset->subjects[s].policy->kind].name;
        text = text == NULL ? psprintf("about %s", kind) : psprintf("%s, %s", text, kind);
    }
    return text == NULL ? "about nobody" : text;
}

/* "phone, masked: last4" */
static const char *describe_column(const struct model_granted *granted)
{
    const char *category = granted->column->policy->category, *form = "clear";
    if (granted->form == POLICY_FORM_TOKEN)
        form = "token";
    else if (granted->form == POLICY_FORM_MASKED && granted->policy->mask == NULL)
        form = "masked";
    else if (granted->form == POLICY_FORM_MASKED)
        form = granted->policy->bucket > 0
                   ? psprintf("masked: %s(%ld)", granted->policy->mask, granted->policy->bucket)
                   : psprintf("masked: %s", granted->policy->mask);
    return category == NULL ? form : psprintf("%s, %s", category, form);
}

/* The type as far as PostgreSQL itself knows it: an enum of the database's own is shown as text. */
static uint32_t shown_type(const struct model_granted *granted)
{
    if (granted->type != 0)
        return granted->type;
    const struct catalog_column *column = granted->column->catalog;
    return granted->form == POLICY_FORM_CLEAR && column->type_builtin ? column->type_oid
                                                                      : TYPE_TEXT;
}

static SelectStmt *relations(const struct rows *rows)
{
    static const struct source_column columns[] = {
        {"oid", "oid"},      {"name", "text"},    {"indexed", "bool"}, {"width", "int4"},
        {"comment", "text"}, {"row_type", "oid"}, {"rights", "text"},  {"letters", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < rows->shown_count; i++) {
        const struct model_grant *grant = rows->shown[i].grant;
        List *row = list_make4(number(rows->shown[i].oid), rewrite_text(dataset_name(rows, i)),
                               rewrite_boolean(is_indexed(rows, i)),
                               rewrite_integer((int)grant->column_count));
        row = lappend(row, rewrite_text(describe_dataset(rows, grant->dataset)));
        row = lappend(row, number(rows->shown[i].row_type));
        row = lappend(row, rewrite_text(virtual_rights_names(virtual_table_rights(grant))));
        row = lappend(row, rewrite_text(virtual_rights_letters(virtual_table_rights(grant))));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *columns_of_all(const struct rows *rows)
{
    static const struct source_column columns[] = {
        {"relation", "oid"}, {"number", "int4"},  {"name", "text"},   {"type", "oid"},
        {"filled", "bool"},  {"comment", "text"}, {"rights", "text"}, {"letters", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < rows->shown_count; i++) {
        const struct model_grant *grant = rows->shown[i].grant;
        for (size_t c = 0; c < grant->column_count; c++) {
            const struct model_granted *granted = &grant->columns[c];
            List *row = list_make4(number(rows->shown[i].oid), rewrite_integer((int)c + 1),
                                   rewrite_text(granted->column->policy->name),
                                   number(shown_type(granted)));
            row = lappend(row, rewrite_boolean(!granted->nullable));
            row = lappend(row, rewrite_text(describe_column(granted)));
            unsigned rights = virtual_column_rights(grant, granted);
            row = lappend(row, rewrite_text(virtual_rights_names(rights)));
            row = lappend(
                row, rewrite_text(virtual_rights_letters(rights & ~virtual_table_rights(grant))));
            list = lappend(list, row);
        }
    }
    return select_rows(columns, lengthof(columns), list);
}

/* As pg_get_constraintdef() and pg_get_indexdef() write them. */
static const char *quoted(const char *name)
{
    bool plain = *name != '\0' &&
                 strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name) &&
                 strspn(name, "0123456789") == 0;
    if (plain)
        return name;
    char *text = palloc(2 * strlen(name) + 3), *to = text;
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return text;
}

static const char *list_columns(const struct rows *rows, size_t dataset, const size_t *columns,
                                size_t count)
{
    const char *text = quoted(column_name(rows, dataset, columns[0]));
    for (size_t i = 1; i < count; i++)
        text = psprintf("%s, %s", text, quoted(column_name(rows, dataset, columns[i])));
    return text;
}

static const char *define_key(const struct rows *rows, const struct key *key)
{
    size_t count = key->column_count;
    const char *columns = list_columns(rows, key->dataset, key->columns, count);
    if (key->kind != FOREIGN)
        return psprintf("%s (%s)", key->kind == PRIMARY ? "PRIMARY KEY" : "UNIQUE", columns);
    return psprintf("FOREIGN KEY (%s) REFERENCES %s(%s)", columns,
                    quoted(dataset_name(rows, key->parent)),
                    list_columns(rows, key->parent, key->parent_columns, count));
}

static const char *define_index(const struct rows *rows, const struct key *key)
{
    if (key->kind == FOREIGN)
        return NULL;
    return psprintf("CREATE UNIQUE INDEX %s ON public.%s USING btree (%s)", quoted(key->name),
                    quoted(dataset_name(rows, key->dataset)),
                    list_columns(rows, key->dataset, key->columns, key->column_count));
}

/* "1 2", as an int2vector is written. */
static const char *number_list(const size_t *columns, size_t count)
{
    const char *text = psprintf("%zu", columns[0] + 1);
    for (size_t i = 1; i < count; i++)
        text = psprintf("%s %zu", text, columns[i] + 1);
    return text;
}

static SelectStmt *keys(const struct rows *rows)
{
    static const struct source_column columns[] = {{"oid", "oid"},
                                                   {"index", "oid"},
                                                   {"relation", "oid"},
                                                   {"name", "text"},
                                                   {"kind", "text"},
                                                   {"width", "int4"},
                                                   {"numbers", "text"},
                                                   {"parent", "oid"},
                                                   {"parent_numbers", "text"},
                                                   {"definition", "text"},
                                                   {"index_definition", "text"}};
    List *list = NIL;
    for (size_t k = 0; k < rows->key_count; k++) {
        const struct key *key = &rows->keys[k];
        size_t count = key->column_count;
        bool foreign = key->kind == FOREIGN;
        List *row = list_make4(number(key->oid), number(key->index),
                               number(rows->shown[key->dataset].oid), rewrite_text(key->name));
        row = lappend(row, rewrite_text(psprintf("%c", key->kind)));
        row = lappend(row, rewrite_integer((int)count));
        row = lappend(row, rewrite_text(number_list(key->columns, count)));
        row = lappend(row, foreign ? number(rows->shown[key->parent].oid) : rewrite_null());
        row = lappend(row, foreign ? rewrite_text(number_list(key->parent_columns, count))
                                   : rewrite_null());
        row = lappend(row, rewrite_text(define_key(rows, key)));
        row = lappend(row, text_or_null(define_index(rows, key)));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

/* One row a column of a key; parent_position: in the key that a foreign one refers to. */
static SelectStmt *key_columns(const struct rows *rows)
{
    static const struct source_column columns[] = {{"key", "oid"},
                                                   {"position", "int4"},
                                                   {"number", "int4"},
                                                   {"parent_number", "int4"},
                                                   {"parent_position", "int4"}};
    List *list = NIL;
    for (size_t k = 0; k < rows->key_count; k++) {
        const struct key *key = &rows->keys[k];
        for (size_t i = 0; i < key->column_count; i++) {
            bool foreign = key->kind == FOREIGN;
            size_t parent = foreign ? key->parent_columns[i] : 0;
            List *row = list_make3(number(key->oid), rewrite_integer((int)i + 1),
                                   rewrite_integer((int)key->columns[i] + 1));
            row = lappend(row, foreign ? rewrite_integer((int)parent + 1) : rewrite_null());
            row = lappend(row, foreign ? rewrite_integer((int)position_in(key->unique, parent) + 1)
                                       : rewrite_null());
            list = lappend(list, row);
        }
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *partner(const struct rows *rows)
{
    static const struct source_column columns[] = {
        {"login", "text"}, {"database", "text"}, {"version", "text"}};
    const struct plan_request *request = rows->build->request;
    List *row = list_make3(
        rewrite_text(request->agent->login),
        rewrite_text(request->database == NULL ? "cofferdam" : request->database),
        rewrite_text(psprintf("PostgreSQL %s", rows->build->model->catalog->server_version)));
    return select_rows(columns, lengthof(columns), list_make1(row));
}

static SelectStmt *functions(const struct rows *rows)
{
    static const struct source_column columns[] = {{"name", "text"}};
    const struct allow_signature *signature;
    const char *last = "";
    List *list = NIL;
    (void)rows;
    for (size_t i = 0; (signature = allow_function_at(i)) != NULL; i++) {
        if (strcmp(signature->name, last) != 0)
            list = lappend(list, list_make1(rewrite_text(signature->name)));
        last = signature->name;
    }
    return select_rows(columns, lengthof(columns), list);
}

SelectStmt *virtual_source(struct build *build, const char *name)
{
    static const struct {
        const char *name;
        SelectStmt *(*make)(const struct rows *rows);
    } sources[] = {{"source_relation", relations}, {"source_column", columns_of_all},
                   {"source_key", keys},           {"source_key_column", key_columns},
                   {"source_partner", partner},    {"source_function", functions}};
    for (size_t i = 0; i < lengthof(sources); i++)
        if (strcmp(sources[i].name, name) == 0)
            return sources[i].make(collect(build));
    return NULL;
}
