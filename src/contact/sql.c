/* The SQL of contact data, made from the policy: qualified and quoted names, values as parameters.
 * Whatever the columns' types are, results are text: only flags must be boolean and a birth date
 * must be a date. */
#include <string.h>

#include "base/check.h"
#include "contact/private.h"

const struct policy_dataset *contact_dataset(const struct policy *policy,
                                             const struct policy_kind *kind)
{
    const struct policy_dataset *dataset = policy_find_dataset(policy, kind->dataset);
    CHECK(dataset != NULL);
    return dataset;
}

void contact_sql_identifier(struct buffer *sql, const char *name)
{
    buffer_append_u8(sql, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            buffer_append_u8(sql, '"');
        buffer_append_u8(sql, (uint8_t)*name);
    }
    buffer_append_u8(sql, '"');
}

void contact_sql_table(struct buffer *sql, const struct policy_dataset *dataset)
{
    contact_sql_identifier(sql, dataset->schema);
    buffer_append_u8(sql, '.');
    contact_sql_identifier(sql, dataset->table);
}

void contact_sql_array(struct buffer *array, const char *const *texts, size_t count)
{
    buffer_append_u8(array, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(array, i == 0 ? "\"" : ",\"");
        for (const char *at = texts[i]; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                buffer_append_u8(array, '\\');
            buffer_append_u8(array, (uint8_t)*at);
        }
        buffer_append_u8(array, '"');
    }
    buffer_append_u8(array, '}');
}

/* ---- columns ---- */

enum { FIELDS = 10, MOST_COLUMNS = FIELDS + POLICY_POST_LINES };

/* In the order of struct contact_person. */
static void fields_of(const struct policy_contact *contact, const char *fields[static FIELDS])
{
    const char *const all[FIELDS] = {contact->name,        contact->email,     contact->phone,
                                     contact->language,    contact->brand,     contact->country,
                                     contact->birth_date,  contact->gone_away, contact->deceased,
                                     contact->safe_contact};
    memcpy(fields, all, sizeof all);
}

enum { AT_NAME, AT_EMAIL, AT_PHONE, AT_FIRST_FLAG = 7, AT_BIRTH_DATE = 6 };

/* Counting wants neither names nor addresses; of the e-mail address only whether there is one. */
static bool is_trait(size_t field)
{
    return field != AT_NAME && field != AT_PHONE;
}

void contact_each_column(const struct policy_kind *kind, bool traits,
                         void (*fn)(void *context, const char *column), void *context)
{
    const char *columns[MOST_COLUMNS] = {NULL};
    fields_of(&kind->contact, columns);
    for (size_t i = 0; i < FIELDS && traits; i++)
        columns[i] = is_trait(i) ? columns[i] : NULL;
    for (size_t i = 0; i < kind->contact.post_count && !traits; i++)
        columns[FIELDS + i] = kind->contact.post[i];
    for (size_t i = 0; i < MOST_COLUMNS; i++) {
        bool again = false;
        for (size_t before = 0; columns[i] != NULL && before < i; before++)
            again = again || (columns[before] != NULL && strcmp(columns[before], columns[i]) == 0);
        if (columns[i] != NULL && !again)
            fn(context, columns[i]);
    }
}

static void found(void *context, const char *column)
{
    (void)column;
    *(bool *)context = true;
}

bool contact_is_known(const struct policy_kind *kind)
{
    bool any = false;
    contact_each_column(kind, false, found, &any);
    return any;
}

/* ---- reading ---- */

static void append_column(struct buffer *sql, const char *column)
{
    buffer_append_text(sql, "t.");
    contact_sql_identifier(sql, column);
}

static void append_field(struct buffer *sql, size_t field, const char *column, bool traits)
{
    buffer_append_text(sql, ", ");
    if (column == NULL || (traits && !is_trait(field))) {
        buffer_append_text(sql, "NULL");
        return;
    }
    if (field == AT_EMAIL && traits) {
        buffer_append_text(sql, "CASE WHEN btrim(");
        append_column(sql, column);
        buffer_append_text(sql, "::text) <> '' THEN '' END");
    } else if (field == AT_BIRTH_DATE) { /* days since 1970; an infinite date is not known */
        buffer_append_text(sql, "CASE WHEN isfinite(");
        append_column(sql, column);
        buffer_append_text(sql, "::date) THEN ");
        append_column(sql, column);
        buffer_append_text(sql, "::date - DATE '1970-01-01' END");
    } else {
        append_column(sql, column);
        buffer_append_text(sql, field >= AT_FIRST_FLAG ? "::boolean" : "::text");
    }
}

void contact_sql_read(const struct policy *policy, const struct policy_kind *kind,
                      const char *key_type, bool traits, struct buffer *sql)
{
    const char *fields[FIELDS];
    fields_of(&kind->contact, fields);
    buffer_append_text(sql, "SELECT k.at");
    for (size_t i = 0; i < FIELDS; i++)
        append_field(sql, i, fields[i], traits);
    for (size_t i = 0; i < kind->contact.post_count && !traits; i++) {
        buffer_append_text(sql, ", ");
        append_column(sql, kind->contact.post[i]);
        buffer_append_text(sql, "::text");
    }
    /* The keys become values of the column's own type, so that its index serves. */
    buffer_printf(sql, " FROM unnest($1::text[]::%s[]) WITH ORDINALITY AS k(key, at) JOIN ",
                  key_type);
    contact_sql_table(sql, contact_dataset(policy, kind));
    buffer_append_text(sql, " AS t ON t.");
    contact_sql_identifier(sql, kind->key);
    buffer_append_text(sql, " = k.key ORDER BY k.at");
}

/* ---- matching ---- */

/* How two texts are compared; %s stands for the text. The same on both sides of the comparison, so
 * that the database can hash it. */
static const struct match_rule {
    const char *field, *before, *after;
} rules[] = {
    {"key", "", ""},
    {"email", "lower(btrim(", "))"},
    {"phone", "nullif(regexp_replace(", ", '[^0-9]', '', 'g'), '')"},
    {"name", "lower(regexp_replace(btrim(", "), '[[:space:]]+', ' ', 'g'))"},
};
enum { RULE_KEY, RULE_EMAIL, RULE_PHONE, RULE_NAME, RULES };

static const char with_postcode[] = "name and postcode";

static void append_rule(struct buffer *sql, size_t rule, const char *value, const char *column)
{
    buffer_append_text(sql, rules[rule].before);
    append_column(sql, column);
    buffer_append_text(sql, "::text");
    buffer_printf(sql, "%s = %s%s%s", rules[rule].after, rules[rule].before, value,
                  rules[rule].after);
}

/* Any line of the address may hold the postcode; which one does differs from country to country. */
static void append_postcode(struct buffer *sql, const struct policy_contact *contact)
{
    buffer_append_text(
        sql, " AND upper(regexp_replace(split_part(v.value, E'\\n', 2), '[[:space:]]', '', 'g'))"
             " IN (");
    for (size_t i = 0; i < contact->post_count; i++) {
        buffer_append_text(sql, i == 0 ? "upper(regexp_replace(" : ", upper(regexp_replace(");
        append_column(sql, contact->post[i]);
        buffer_append_text(sql, "::text, '[[:space:]]', '', 'g'))");
    }
    buffer_append_text(sql, ")");
}

enum status contact_sql_match(const struct policy *policy, const struct policy_kind *kind,
                              const char *field, struct buffer *sql, struct error *error)
{
    const struct policy_contact *contact = &kind->contact;
    const char *const columns[RULES] = {kind->key, contact->email, contact->phone, contact->name};
    bool postcode = strcmp(field, with_postcode) == 0;
    size_t rule = postcode ? RULE_NAME : 0;
    while (rule < RULES && !postcode && strcmp(rules[rule].field, field) != 0)
        rule++;
    CHECK(rule < RULES);
    if (columns[rule] == NULL || (postcode && contact->post_count == 0))
        return error_set(error, STATUS_INVALID, "F0000", "add it to the policy's contact:",
                         "the policy names no column for the %s of a %s", field, kind->name);
    buffer_append_text(sql, "SELECT v.at, ");
    append_column(sql, kind->key);
    buffer_append_text(sql, "::text FROM unnest($1::text[]) WITH ORDINALITY AS v(value, at) JOIN ");
    contact_sql_table(sql, contact_dataset(policy, kind));
    buffer_append_text(sql, " AS t ON ");
    append_rule(sql, rule, postcode ? "split_part(v.value, E'\\n', 1)" : "v.value", columns[rule]);
    if (postcode)
        append_postcode(sql, contact);
    buffer_append_text(sql, " ORDER BY v.at, ");
    append_column(sql, kind->key);
    return STATUS_OK;
}

void contact_match_columns(const struct policy_kind *kind, const char *field, struct buffer *out)
{
    const struct policy_contact *contact = &kind->contact;
    const char *const columns[RULES] = {kind->key, contact->email, contact->phone, contact->name};
    bool postcode = strcmp(field, with_postcode) == 0;
    size_t rule = postcode ? RULE_NAME : 0;
    while (rule < RULES && !postcode && strcmp(rules[rule].field, field) != 0)
        rule++;
    CHECK(rule < RULES);
    if (!contact_is_known(kind) || columns[rule] == NULL || (postcode && contact->post_count == 0))
        return;
    buffer_printf(out, "%s.%s", kind->dataset, columns[rule]);
    for (size_t i = 0; i < contact->post_count && postcode; i++)
        buffer_printf(out, ",%s.%s", kind->dataset, contact->post[i]);
}
