/* Sources of the virtual catalogue: what this partner, agent and purpose may see now, as SELECTs
 * over constants. Invariant: a name here is a name of the policy, never one of the database; what
 * is not granted leaves no trace. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/virtual/virtual_view.h"

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

static bool is_indexed(const struct virtual_view *view, size_t dataset)
{
    for (size_t k = 0; k < view->key_count; k++)
        if (view->keys[k].dataset == dataset && view->keys[k].kind != VIRTUAL_FOREIGN)
            return true;
    return false;
}

/* "about customer, enquirer", or that it is about nobody. */
static const char *describe_dataset(const struct virtual_view *view,
                                    const struct model_dataset *dataset)
{
    const struct policy *policy = view->build->model->policy;
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

static SelectStmt *relations(const struct virtual_view *view)
{
    static const struct source_column columns[] = {
        {"oid", "oid"},      {"name", "text"},    {"indexed", "bool"}, {"width", "int4"},
        {"comment", "text"}, {"row_type", "oid"}, {"rights", "text"},  {"letters", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < view->dataset_count; i++) {
        const struct model_grant *grant = view->datasets[i].grant;
        List *row = list_make4(
            number(view->datasets[i].oid), rewrite_text(virtual_dataset_name(view, i)),
            rewrite_boolean(is_indexed(view, i)), rewrite_integer((int)grant->column_count));
        row = lappend(row, rewrite_text(describe_dataset(view, grant->dataset)));
        row = lappend(row, number(view->datasets[i].row_type));
        row = lappend(row, rewrite_text(virtual_rights_names(virtual_table_rights(grant))));
        row = lappend(row, rewrite_text(virtual_rights_letters(virtual_table_rights(grant))));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *columns_of_all(const struct virtual_view *view)
{
    static const struct source_column columns[] = {
        {"relation", "oid"}, {"number", "int4"},  {"name", "text"},   {"type", "oid"},
        {"filled", "bool"},  {"comment", "text"}, {"rights", "text"}, {"letters", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < view->dataset_count; i++) {
        const struct model_grant *grant = view->datasets[i].grant;
        for (size_t c = 0; c < grant->column_count; c++) {
            const struct model_granted *granted = &grant->columns[c];
            List *row = list_make4(number(view->datasets[i].oid), rewrite_integer((int)c + 1),
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

static const char *list_columns(const struct virtual_view *view, size_t dataset,
                                const size_t *columns, size_t count)
{
    const char *text = quoted(virtual_column_shown(view, dataset, columns[0]));
    for (size_t i = 1; i < count; i++)
        text = psprintf("%s, %s", text, quoted(virtual_column_shown(view, dataset, columns[i])));
    return text;
}

static const char *define_key(const struct virtual_view *view, const struct virtual_key *key)
{
    size_t count = key->column_count;
    const char *columns = list_columns(view, key->dataset, key->columns, count);
    if (key->kind != VIRTUAL_FOREIGN)
        return psprintf("%s (%s)", key->kind == VIRTUAL_PRIMARY ? "PRIMARY KEY" : "UNIQUE",
                        columns);
    return psprintf("FOREIGN KEY (%s) REFERENCES %s(%s)", columns,
                    quoted(virtual_dataset_name(view, key->parent)),
                    list_columns(view, key->parent, key->parent_columns, count));
}

static const char *define_index(const struct virtual_view *view, const struct virtual_key *key)
{
    if (key->kind == VIRTUAL_FOREIGN)
        return NULL;
    return psprintf("CREATE UNIQUE INDEX %s ON public.%s USING btree (%s)", quoted(key->name),
                    quoted(virtual_dataset_name(view, key->dataset)),
                    list_columns(view, key->dataset, key->columns, key->column_count));
}

/* "1 2", as an int2vector is written. */
static const char *number_list(const size_t *columns, size_t count)
{
    const char *text = psprintf("%zu", columns[0] + 1);
    for (size_t i = 1; i < count; i++)
        text = psprintf("%s %zu", text, columns[i] + 1);
    return text;
}

static SelectStmt *keys(const struct virtual_view *view)
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
    for (size_t k = 0; k < view->key_count; k++) {
        const struct virtual_key *key = &view->keys[k];
        size_t count = key->column_count;
        bool foreign = key->kind == VIRTUAL_FOREIGN;
        List *row = list_make4(number(key->oid), number(key->index),
                               number(view->datasets[key->dataset].oid), rewrite_text(key->name));
        row = lappend(row, rewrite_text(psprintf("%c", key->kind)));
        row = lappend(row, rewrite_integer((int)count));
        row = lappend(row, rewrite_text(number_list(key->columns, count)));
        row = lappend(row, foreign ? number(view->datasets[key->parent].oid) : rewrite_null());
        row = lappend(row, foreign ? rewrite_text(number_list(key->parent_columns, count))
                                   : rewrite_null());
        row = lappend(row, rewrite_text(define_key(view, key)));
        row = lappend(row, text_or_null(define_index(view, key)));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

/* One row a column of a key; parent_position: in the key that a foreign one refers to. */
static SelectStmt *key_columns(const struct virtual_view *view)
{
    static const struct source_column columns[] = {{"key", "oid"},
                                                   {"position", "int4"},
                                                   {"number", "int4"},
                                                   {"parent_number", "int4"},
                                                   {"parent_position", "int4"}};
    List *list = NIL;
    for (size_t k = 0; k < view->key_count; k++) {
        const struct virtual_key *key = &view->keys[k];
        for (size_t i = 0; i < key->column_count; i++) {
            bool foreign = key->kind == VIRTUAL_FOREIGN;
            size_t parent = foreign ? key->parent_columns[i] : 0;
            List *row = list_make3(number(key->oid), rewrite_integer((int)i + 1),
                                   rewrite_integer((int)key->columns[i] + 1));
            row = lappend(row, foreign ? rewrite_integer((int)parent + 1) : rewrite_null());
            row = lappend(
                row, foreign ? rewrite_integer((int)virtual_key_position(key->unique, parent) + 1)
                             : rewrite_null());
            list = lappend(list, row);
        }
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *partner(const struct virtual_view *view)
{
    static const struct source_column columns[] = {
        {"login", "text"}, {"database", "text"}, {"version", "text"}};
    const struct plan_request *request = view->build->request;
    List *row = list_make3(
        rewrite_text(request->agent->login),
        rewrite_text(request->database == NULL ? "cofferdam" : request->database),
        rewrite_text(psprintf("PostgreSQL %s", view->build->model->catalog->server_version)));
    return select_rows(columns, lengthof(columns), list_make1(row));
}

static SelectStmt *functions(const struct virtual_view *view)
{
    static const struct source_column columns[] = {{"name", "text"}};
    const struct allow_signature *signature;
    const char *last = "";
    List *list = NIL;
    (void)view;
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
        SelectStmt *(*make)(const struct virtual_view *view);
    } sources[] = {{"source_relation", relations}, {"source_column", columns_of_all},
                   {"source_key", keys},           {"source_key_column", key_columns},
                   {"source_partner", partner},    {"source_function", functions}};
    for (size_t i = 0; i < lengthof(sources); i++)
        if (strcmp(sources[i].name, name) == 0)
            return sources[i].make(virtual_collect(build));
    return NULL;
}
