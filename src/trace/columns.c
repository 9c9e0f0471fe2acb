/* See columns.h. */
#include "trace/columns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/suggest.h"
#include "trace/looks.h"

enum { NAME_ROOM = LEAK_NAME_BYTES + 1, LOOKED_AT = 2000 };

struct guessing {
    const struct policy *policy;
    const struct leak *leak;
    struct arena *arena;
    struct error *error;
};

/* ---- names ---- */

/* "E-Mail Address" is e_mail_address. */
static void plain_name(const char *name, char plain[static NAME_ROOM])
{
    size_t len = 0;
    for (; *name != '\0' && len + 1 < NAME_ROOM; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        plain[len++] = c == ' ' || c == '-' ? '_' : c;
    }
    plain[len] = '\0';
}

static bool same_name(const char *name, const char *of_policy)
{
    char a[NAME_ROOM], b[NAME_ROOM];
    plain_name(name, a);
    plain_name(of_policy, b);
    return strcmp(a, b) == 0;
}

static const struct meaning {
    const char *category; /* NULL: a key of any kind */
    enum column_field field;
    const char *names[16];
} meanings[] = {
    {NULL, FIELD_NONE, {"key", "token", "subject", "subject_key", "id"}},
    {"name",
     FIELD_NAME,
     {"name", "full_name", "fullname", "customer_name", "first_name", "forename", "last_name",
      "surname"}},
    {"email", FIELD_EMAIL, {"email", "mail", "e_mail", "email_address", "e_mail_address"}},
    {"phone",
     FIELD_PHONE,
     {"phone", "telephone", "tel", "mobile", "cell", "phone_number", "mobile_number",
      "telephone_number"}},
    {"address", FIELD_POSTCODE, {"postcode", "post_code", "postal_code", "zip", "zip_code"}},
    {"address", FIELD_POST, {"address", "street", "town", "city", "line1", "line_1", "county"}},
    {"date_of_birth",
     FIELD_BIRTH,
     {"dob", "born", "birth_date", "birthdate", "birthday", "date_of_birth"}},
    {"gender", FIELD_NONE, {"gender", "sex"}},
    {"vin", FIELD_NONE, {"vin", "chassis", "chassis_number", "vehicle_identification_number"}},
    {"vrm",
     FIELD_NONE,
     {"vrm", "reg", "registration", "registration_number", "number_plate", "plate"}},
};
enum { MEANINGS = sizeof meanings / sizeof meanings[0] };

static const struct meaning *find_meaning(const char *name)
{
    char plain[NAME_ROOM];
    plain_name(name, plain);
    for (size_t i = 0; i < MEANINGS; i++)
        for (const char *const *at = meanings[i].names; *at != NULL; at++)
            if (strcmp(*at, plain) == 0)
                return &meanings[i];
    return NULL;
}

/* ---- targets ---- */

typedef bool (*wants)(const struct policy_dataset *dataset, const struct policy_column *column,
                      const char *wanted);

static bool wants_name(const struct policy_dataset *dataset, const struct policy_column *column,
                       const char *wanted)
{
    return same_name(wanted, column->name);
}

static bool wants_category(const struct policy_dataset *dataset, const struct policy_column *column,
                           const char *wanted)
{
    return column->category != NULL && strcmp(column->category, wanted) == 0;
}

static bool wants_both(const struct policy_dataset *dataset, const struct policy_column *column,
                       const char *wanted)
{
    size_t len = strlen(dataset->name);
    return strncmp(wanted, dataset->name, len) == 0 && wanted[len] == '.' &&
           strcmp(wanted + len + 1, column->name) == 0;
}

/* All columns of the policy that are wanted; true where there are any. */
static bool find_targets(const struct guessing *guessing, wants is_wanted, const char *wanted,
                         struct column *column)
{
    const struct policy *policy = guessing->policy;
    size_t most = 0;
    for (size_t d = 0; d < policy->dataset_count; d++)
        most += policy->datasets[d].column_count;
    column->targets = arena_array(guessing->arena, struct column_target, most + 1);
    column->target_count = 0;
    for (size_t d = 0; d < policy->dataset_count && column->targets != NULL; d++) {
        const struct policy_dataset *dataset = &policy->datasets[d];
        for (size_t c = 0; c < dataset->column_count; c++)
            if (is_wanted(dataset, &dataset->columns[c], wanted))
                column->targets[column->target_count++] = (struct column_target){
                    dataset->name, dataset->columns[c].name, dataset->columns[c].category};
    }
    return column->target_count > 0;
}

/* Is this a column that holds the key of a kind: of its own dataset, or on the path to it? */
static bool is_key_of(const struct policy *policy, size_t kind, const struct column_target *target)
{
    const struct policy_dataset *dataset = policy_find_dataset(policy, target->dataset);
    if (strcmp(policy->kinds[kind].dataset, target->dataset) == 0 &&
        strcmp(policy->kinds[kind].key, target->column) == 0)
        return true;
    for (size_t s = 0; dataset != NULL && s < dataset->subject_count; s++) {
        const struct policy_subject *subject = &dataset->subjects[s];
        const char *holds = subject->hop_count == 0   ? subject->key
                            : subject->hop_count == 1 ? subject->hops[0].child_column
                                                      : NULL;
        bool is_whole = subject->hop_count == 0 ||
                        strcmp(subject->hops[0].parent_column, policy->kinds[kind].key) == 0;
        if (subject->kind == kind && holds != NULL && is_whole &&
            strcmp(holds, target->column) == 0)
            return true;
    }
    return false;
}

static void settle_key(const struct policy *policy, struct column *column)
{
    for (size_t k = 0; k < policy->kind_count; k++)
        for (size_t t = 0; t < column->target_count; t++) {
            if (!is_key_of(policy, k, &column->targets[t]))
                continue;
            column->kind =
                !column->is_key || column->kind == k ? (uint16_t)k : (uint16_t)COLUMNS_ANY_KIND;
            column->is_key = true;
        }
}

static enum column_field field_of(const struct policy_contact *contact, const char *column)
{
    const struct {
        const char *name;
        enum column_field field;
    } fields[] = {
        {contact->name, FIELD_NAME},         {contact->email, FIELD_EMAIL},
        {contact->phone, FIELD_PHONE},       {contact->birth_date, FIELD_BIRTH},
        {contact->language, FIELD_LANGUAGE}, {contact->brand, FIELD_BRAND},
        {contact->country, FIELD_COUNTRY},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].name != NULL && strcmp(fields[i].name, column) == 0)
            return fields[i].field;
    for (size_t i = 0; i < contact->post_count; i++)
        if (strcmp(contact->post[i], column) == 0)
            return FIELD_POST;
    return FIELD_NONE;
}

/* By the policy's contact columns, otherwise by what the name means or the category is. */
static void settle_field(const struct policy *policy, struct column *column)
{
    const struct meaning *meaning = find_meaning(column->name);
    for (size_t k = 0; k < policy->kind_count && column->field == FIELD_NONE; k++)
        for (size_t t = 0; t < column->target_count && column->field == FIELD_NONE; t++)
            if (strcmp(column->targets[t].dataset, policy->kinds[k].dataset) == 0)
                column->field = field_of(&policy->kinds[k].contact, column->targets[t].column);
    bool is_postcode = (meaning != NULL && meaning->field == FIELD_POSTCODE) ||
                       (column->looks & LOOKS_POSTCODE) != 0;
    if (column->field == FIELD_POST && is_postcode)
        column->field = FIELD_POSTCODE;
    for (size_t i = 0; i < MEANINGS && column->field == FIELD_NONE; i++)
        if (column->category != NULL && meanings[i].category != NULL &&
            strcmp(meanings[i].category, column->category) == 0 &&
            (meanings[i].field != FIELD_POSTCODE || is_postcode))
            column->field = meanings[i].field;
}

static void settle(const struct policy *policy, struct column *column, const char *how)
{
    column->how = how;
    for (size_t t = 0; t < column->target_count; t++) {
        const char *category = column->targets[t].category;
        bool same = t == 0 || (category != NULL && column->category != NULL &&
                               strcmp(category, column->category) == 0);
        column->category = same ? category : NULL;
    }
    settle_key(policy, column);
    settle_field(policy, column);
}

/* ---- looks ---- */

/* The looks of at least six in ten of the first values. */
static void look(const struct leak *leak, size_t at, struct column *column)
{
    uint64_t counts[sizeof(unsigned) * 8] = {0}, seen = 0;
    for (size_t i = 0; i < leak->line_count && seen < LOOKED_AT; i++) {
        const char *cell = leak_cell(leak, i, at);
        if (cell == NULL)
            continue;
        unsigned looks = looks_of(cell);
        for (size_t bit = 0; bit < sizeof counts / sizeof counts[0]; bit++)
            counts[bit] += looks >> bit & 1;
        seen++;
    }
    for (size_t bit = 0; bit < sizeof counts / sizeof counts[0] && column->looks == 0; bit++)
        if (seen > 0 && counts[bit] * 10 >= seen * 6)
            column->looks = 1U << bit;
    for (size_t i = 0; i < leak->line_count; i++) {
        const char *cell = leak_cell(leak, i, at);
        column->filled += cell != NULL;
        column->looked += cell != NULL && (looks_of(cell) & column->looks) != 0;
    }
}

static bool guess_by_looks(const struct guessing *guessing, struct column *column)
{
    static const struct {
        unsigned looks;
        const char *category;
    } categories[] = {
        {LOOKS_EMAIL, "email"}, {LOOKS_PHONE, "phone"},        {LOOKS_VIN, "vin"},
        {LOOKS_VRM, "vrm"},     {LOOKS_DATE, "date_of_birth"}, {LOOKS_POSTCODE, "address"}};
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        if (column->looks == categories[i].looks)
            return find_targets(guessing, wants_category, categories[i].category, column);
    return false;
}

/* ---- one column ---- */

/* A key without the name of one: every key of every kind. */
static void take_any_key(const struct guessing *guessing, struct column *column, const char *how)
{
    const struct policy *policy = guessing->policy;
    struct column found = {0};
    column->targets = arena_array(guessing->arena, struct column_target, policy->kind_count * 64);
    for (size_t k = 0; k < policy->kind_count && column->targets != NULL; k++) {
        if (!find_targets(guessing, wants_name, policy->kinds[k].key, &found))
            continue;
        for (size_t t = 0; t < found.target_count && t < 64; t++)
            column->targets[column->target_count++] = found.targets[t];
    }
    column->how = how;
    column->is_key = true;
    column->kind = policy->kind_count == 1 ? 0 : (uint16_t)COLUMNS_ANY_KIND;
}

static void guess(const struct guessing *guessing, struct column *column)
{
    const struct policy *policy = guessing->policy;
    const struct meaning *meaning = find_meaning(column->name);
    bool named = guessing->leak->format == LEAK_JSON_LINES || guessing->leak->has_header;
    if (named && (find_targets(guessing, wants_both, column->name, column) ||
                  find_targets(guessing, wants_name, column->name, column)))
        settle(policy, column, "name");
    else if (named && meaning != NULL && meaning->category == NULL)
        take_any_key(guessing, column, "meaning");
    else if (named && meaning != NULL &&
             find_targets(guessing, wants_category, meaning->category, column))
        settle(policy, column, "meaning");
    else if ((column->looks & (LOOKS_TOKEN | LOOKS_UUID)) != 0 ||
             (!named && (column->looks & LOOKS_INTEGER) != 0))
        take_any_key(guessing, column, "looks");
    else if (guess_by_looks(guessing, column))
        settle(policy, column, "looks");
}

static enum status take_choice(const struct guessing *guessing, const struct column_choice *choice,
                               struct column *column)
{
    if (choice->target[0] == '\0') {
        column->how = NULL;
        return STATUS_OK;
    }
    if (!find_targets(guessing, wants_both, choice->target, column))
        return error_set(guessing->error, STATUS_INVALID, "42703",
                         "datasets and their columns stand in the policy: NAME=dataset.column",
                         "the policy has no column %.120s", choice->target);
    settle(guessing->policy, column, "given");
    return STATUS_OK;
}

static enum status no_such_column(const struct leak *leak, const char *name, struct error *error)
{
    const char *names[LEAK_COLUMNS + 1] = {NULL};
    char all[300];
    memcpy(names, leak->columns, leak->column_count * sizeof names[0]);
    suggest_list(names, all, sizeof all);
    char hint[400];
    snprintf(hint, sizeof hint, "it has %s", all);
    return error_set(error, STATUS_INVALID, "42703", hint, "the file has no column \"%.120s\"",
                     name);
}

static enum status check_choices(const struct leak *leak, const struct column_choice *choices,
                                 size_t choice_count, struct error *error)
{
    for (size_t i = 0; i < choice_count; i++) {
        bool found = false;
        for (size_t c = 0; c < leak->column_count; c++)
            found = found || strcmp(leak->columns[c], choices[i].name) == 0;
        if (!found)
            return no_such_column(leak, choices[i].name, error);
    }
    return STATUS_OK;
}

/* ---- all ---- */

static bool leads_to_people(const struct columns *columns)
{
    bool has_name = false, has_postcode = false;
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->all[i];
        if (column->how == NULL)
            continue;
        if (column->is_key || column->field == FIELD_EMAIL || column->field == FIELD_PHONE)
            return true;
        has_name = has_name || column->field == FIELD_NAME;
        has_postcode = has_postcode || column->field == FIELD_POSTCODE;
    }
    return has_name && has_postcode;
}

enum status columns_guess(const struct policy *policy, const struct leak *leak,
                          const struct column_choice *choices, size_t choice_count,
                          struct arena *arena, struct columns *columns, struct error *error)
{
    struct guessing guessing = {policy, leak, arena, error};
    struct columns made = {.count = leak->column_count};
    TRY(check_choices(leak, choices, choice_count, error));
    made.all = arena_array(arena, struct column, leak->column_count + 1);
    for (size_t i = 0; i < made.count && made.all != NULL; i++) {
        struct column *column = &made.all[i];
        const struct column_choice *choice = NULL;
        column->name = leak->columns[i];
        look(leak, i, column);
        for (size_t c = 0; c < choice_count; c++)
            if (strcmp(choices[c].name, column->name) == 0)
                choice = &choices[c];
        if (choice == NULL)
            guess(&guessing, column);
        else
            TRY(take_choice(&guessing, choice, column));
    }
    if (arena->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (!leads_to_people(&made))
        return error_set(error, STATUS_INVALID, "22P04",
                         "say which column is what: --column NAME=dataset.column",
                         "no column leads to a person: a key, a token, an e-mail address, a "
                         "telephone number, or a name with a postcode");
    *columns = made;
    return STATUS_OK;
}
