/* Traits from the database, through the contact role. Every reading stands in the ledger before it
 * is made. Values that could be anybody's own (a column of names taken for a brand) are refused:
 * a list of brands, languages or countries is short. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "contact/contact.h"
#include "incident/scope_traits.h"
#include "policy/jurisdiction.h"

enum {
    BATCH = 5000,     /* keys a question */
    KEY_BYTES = 256,  /* terminated */
    NAMES_MAX = 1000, /* different brands, languages or countries */
    NAME_BYTES = 63,
};
static const int64_t DAY_NS = INT64_C(86400000000000);

struct names_list {
    const char **names; /* names[0] is "" */
    size_t count, capacity;
};

/* One reading. Nothing of it reaches the scope before all of it is there. */
struct reading {
    struct casework *casework;
    struct scope_private *made;
    struct contact_reader *reader;
    struct names_list brands, languages, countries;
    struct scope_person *people; /* copies */
    struct zone_time noticed;
    int child_below_years; /* 0: no law that applies names an age */
    /* ---- the batch ---- */
    char (*keys)[KEY_BYTES];
    const char **key_list;
    uint32_t *ids;
    size_t *places; /* in people */
    size_t count;
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the traits of people");
}

/* ---- values ---- */

static bool is_printable(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7F)
            return false;
    return len > 0 && len <= NAME_BYTES;
}

static enum status find_name(struct reading *reading, struct names_list *list, const char *what,
                             const char *name, uint16_t *found, struct error *error)
{
    *found = 0;
    if (name == NULL || !is_printable(name))
        return STATUS_OK;
    for (size_t i = 1; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0) {
            *found = (uint16_t)i;
            return STATUS_OK;
        }
    if (list->count == NAMES_MAX)
        return error_set(error, STATUS_INVALID, "F0000", "see contact in cofferdam-policy(5)",
                         "the policy's %s column has more than %d values", what, NAMES_MAX - 1);
    TRY(scope_grow(&list->names, list->count, &list->capacity, sizeof *list->names, error));
    const char *copy = arena_strdup(&reading->made->arena, name);
    if (copy == NULL)
        return out_of_memory(error);
    *found = (uint16_t)list->count;
    list->names[list->count++] = copy;
    return STATUS_OK;
}

static bool is_child(const struct reading *reading, int32_t birth_day)
{
    if (birth_day == INT32_MIN || reading->child_below_years == 0)
        return false;
    const struct zone_time *now = &reading->noticed;
    struct zone_time born = zone_local(NULL, birth_day * DAY_NS);
    bool had_birthday =
        now->month > born.month || (now->month == born.month && now->day >= born.day);
    return now->year - born.year - !had_birthday < reading->child_below_years;
}

static enum status take(void *context, const struct contact_person *row, struct error *error)
{
    struct reading *reading = context;
    struct scope_person *person = &reading->people[reading->places[row->at]];
    person->flags &= (uint16_t)~SCOPE_GONE;
    person->flags |=
        (uint16_t)((row->gone_away ? SCOPE_GONE_AWAY : 0) | (row->deceased ? SCOPE_DECEASED : 0) |
                   (row->safe_contact ? SCOPE_SAFE_CONTACT : 0) |
                   (row->email != NULL ? SCOPE_HAS_EMAIL : 0) |
                   (is_child(reading, row->birth_day) ? SCOPE_CHILD : 0));
    TRY(find_name(reading, &reading->brands, "brand", row->brand, &person->brand, error));
    TRY(find_name(reading, &reading->languages, "language", row->language, &person->language,
                  error));
    return find_name(reading, &reading->countries, "country", row->country, &person->country,
                     error);
}

/* ---- batches ---- */

/* The next people of the kind that have a key. */
static void gather(struct reading *reading, uint16_t kind, size_t *next)
{
    const struct scope_private *made = reading->made;
    reading->count = 0;
    for (; *next < made->scope.person_count && reading->count < BATCH; ++*next) {
        size_t at = reading->count;
        uint16_t known;
        const struct scope_person *person = &reading->people[*next];
        if (person->kind != kind)
            break;
        if (names_key(made->names, person->id, &known, reading->keys[at]) != STATUS_OK)
            continue;
        reading->key_list[at] = reading->keys[at];
        reading->ids[at] = person->id;
        reading->places[at] = *next;
        reading->count++;
    }
}

static enum status read_kind(struct reading *reading, uint16_t kind, size_t *next,
                             struct error *error)
{
    char purpose[64];
    struct admin_client *admin;
    const char *columns = contact_columns(reading->reader, kind, true);
    const char *name = reading->casework->policy->kinds[kind].name;
    snprintf(purpose, sizeof purpose, "incident %" PRId64 " scope",
             reading->made->scope.incident.number);
    TRY(casework_admin(reading->casework, &admin, error));
    while (gather(reading, kind, next), reading->count > 0) {
        TRY(admin_client_record_read(admin, name, columns, purpose, reading->ids, reading->count,
                                     error));
        for (size_t i = 0; i < reading->count; i++)
            reading->people[reading->places[i]].flags |= SCOPE_GONE; /* until a row is there */
        TRY(contact_read_traits(reading->reader, kind, reading->key_list, reading->count, take,
                                reading, error));
    }
    return STATUS_OK;
}

static enum status read_people(struct reading *reading, struct error *error)
{
    const struct scope *scope = &reading->made->scope;
    for (size_t next = 0; next < scope->person_count;) {
        uint16_t kind = reading->people[next].kind;
        if (kind >= reading->casework->policy->kind_count)
            return error_set(error, STATUS_INVALID, "F0000", NULL,
                             "the policy does not name kind %u of the ledger", kind);
        TRY(read_kind(reading, kind, &next, error));
    }
    return STATUS_OK;
}

/* ---- all ---- */

/* The highest age below which a law that applies writes to a parent. */
static enum status find_child_age(struct reading *reading, struct error *error)
{
    const struct policy_controller *controller = &reading->casework->policy->controller;
    for (size_t i = 0; i < controller->jurisdiction_count; i++) {
        char name[128];
        const char *path;
        struct jurisdiction *law = NULL;
        snprintf(name, sizeof name, "jurisdictions/%s.yaml", controller->jurisdictions[i]);
        TRY(casework_data(reading->casework, name, &reading->made->arena, &path, error));
        TRY(jurisdiction_load(path, &law, error));
        if (law->child_below_years > reading->child_below_years)
            reading->child_below_years = law->child_below_years;
        jurisdiction_free(law);
    }
    return STATUS_OK;
}

static enum status prepare(struct reading *reading, struct error *error)
{
    size_t count = reading->made->scope.person_count;
    struct names_list *lists[] = {&reading->brands, &reading->languages, &reading->countries};
    reading->people = calloc(count + 1, sizeof *reading->people);
    reading->keys = calloc(BATCH, sizeof *reading->keys);
    reading->key_list = calloc(BATCH, sizeof *reading->key_list);
    reading->ids = calloc(BATCH, sizeof *reading->ids);
    reading->places = calloc(BATCH, sizeof *reading->places);
    if (reading->people == NULL || reading->keys == NULL || reading->key_list == NULL ||
        reading->ids == NULL || reading->places == NULL)
        return out_of_memory(error);
    memcpy(reading->people, reading->made->people, count * sizeof *reading->people);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        TRY(scope_grow(&lists[i]->names, 0, &lists[i]->capacity, sizeof *lists[i]->names, error));
        lists[i]->names[lists[i]->count++] = "";
    }
    return STATUS_OK;
}

static enum status keep_list(struct reading *reading, const struct names_list *list,
                             const char *const **names, size_t *count, struct error *error)
{
    const char **copy = arena_array(&reading->made->arena, const char *, list->count);
    if (copy == NULL)
        return out_of_memory(error);
    memcpy(copy, list->names, list->count * sizeof *copy);
    *names = copy;
    *count = list->count;
    return STATUS_OK;
}

static enum status keep(struct reading *reading, struct error *error)
{
    struct scope *scope = &reading->made->scope;
    TRY(keep_list(reading, &reading->brands, &scope->brands, &scope->brand_count, error));
    TRY(keep_list(reading, &reading->languages, &scope->languages, &scope->language_count, error));
    TRY(keep_list(reading, &reading->countries, &scope->countries, &scope->country_count, error));
    memcpy(reading->made->people, reading->people, scope->person_count * sizeof *reading->people);
    return STATUS_OK;
}

static void free_reading(struct reading *reading)
{
    contact_close(reading->reader);
    free(reading->brands.names);
    free(reading->languages.names);
    free(reading->countries.names);
    free(reading->people);
    free(reading->keys);
    free(reading->key_list);
    free(reading->ids);
    free(reading->places);
}

enum status scope_traits_read(struct casework *casework, struct scope_private *made,
                              struct error *error)
{
    struct reading reading = {.casework = casework,
                              .made = made,
                              .noticed = zone_local(NULL, made->scope.incident.noticed_ns)};
    enum status status = contact_open(casework->config, casework->policy, &reading.reader, error);
    if (status == STATUS_OK)
        status = find_child_age(&reading, error);
    if (status == STATUS_OK)
        status = prepare(&reading, error);
    if (status == STATUS_OK)
        status = read_people(&reading, error);
    if (status == STATUS_OK)
        status = keep(&reading, error);
    free_reading(&reading);
    return status;
}
