/* See exposure_list.h. Who somebody was given is itself something to be read with care: that staff
 * saw these people is in the ledger, durable and found there, before the first line is printed.
 * Where nobody can record it, nobody is shown anything. Lines are written as they are made. */
#include "cli/exposure_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/exposure_source.h"
#include "cli/json.h"
#include "cli/log_folder.h"
#include "exposure/kinds.h"
#include "exposure/people.h"
#include "incident/casework.h"

enum { PURPOSE_ROOM = 128, CATEGORY_ROOM = 200, WIDE = 24 };

struct listing {
    const struct cli_call *call;
    struct casework *casework;
    const char *partner;
    struct people *people;
};

/* ---- reading, and recording that ---- */

static enum status read_people(struct listing *listing, struct error *error)
{
    char subjects[CLI_PATH_ROOM], ledger[CLI_PATH_ROOM];
    const struct cli_call *call = listing->call;
    const char *state = listing->casework->config->state_folder;
    struct people_wish wish = {.subjects_folder = subjects,
                               .ledger_folder = ledger,
                               .partner = listing->partner,
                               .from_ns = INT64_MIN,
                               .to_ns = INT64_MAX};
    if (snprintf(subjects, sizeof subjects, "%s/subjects", state) >= CLI_PATH_ROOM ||
        snprintf(ledger, sizeof ledger, "%s/ledger", state) >= CLI_PATH_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    if (cli_value(call, "from") != NULL)
        TRY(clock_parse(cli_value(call, "from"), &wish.from_ns, error));
    if (cli_value(call, "to") != NULL)
        TRY(clock_parse(cli_value(call, "to"), &wish.to_ns, error));
    TRY(kinds_check(state, listing->casework->policy, error));
    return people_read(&wish, &listing->people, error);
}

static enum status record_kind(struct listing *listing, struct admin_client *admin, uint16_t number,
                               const char *purpose, struct error *error)
{
    const struct policy_kind *kind = &listing->casework->policy->kinds[number];
    char column[2 * LIMIT_NAME_BYTES + 2];
    uint32_t *ids;
    size_t count;
    snprintf(column, sizeof column, "%s.%s", kind->dataset, kind->key);
    TRY(people_ids(listing->people, number, &ids, &count, error));
    enum status status = count == 0 ? STATUS_OK
                                    : admin_client_record_read(admin, kind->name, column, purpose,
                                                               ids, count, error);
    free(ids);
    return status;
}

static enum status record(struct listing *listing, struct error *error)
{
    struct admin_client *admin;
    char purpose[PURPOSE_ROOM];
    if (people_count(listing->people).named == 0)
        return STATUS_OK;
    snprintf(purpose, sizeof purpose, "exposure list %s", listing->partner);
    enum status status = casework_admin(listing->casework, &admin, error);
    for (size_t k = 0; k < listing->casework->policy->kind_count && status == STATUS_OK; k++)
        status = record_kind(listing, admin, (uint16_t)k, purpose, error);
    if (status == STATUS_OK)
        status = people_confirm(listing->people, purpose, error);
    if (status != STATUS_OK)
        error_prefix(error, "nobody is listed, since that cannot be recorded");
    return status;
}

/* ---- printing ---- */

static const char *kind_name(const struct listing *listing, uint16_t kind)
{
    const struct policy *policy = listing->casework->policy;
    return kind < policy->kind_count ? policy->kinds[kind].name : "(unknown kind)";
}

/* "name, phone (masked)" as an array. */
static json_t *categories_json(const char *categories)
{
    json_t *all = json_array();
    for (const char *at = categories; *at != '\0';) {
        char category[CATEGORY_ROOM];
        size_t len = strcspn(at, ",");
        snprintf(category, sizeof category, "%.*s", (int)len, at);
        int failure = json_array_append_new(all, cli_json_text(category));
        CHECK(failure == 0);
        at += len;
        at += strspn(at, ", ");
    }
    return all;
}

static void put_padded(const char *text)
{
    size_t len = strlen(text);
    cli_print_safe(stdout, text);
    printf("%*s  ", len < WIDE ? (int)(WIDE - len) : 0, "");
}

static enum status print_line(void *context, const struct people_line *line, struct error *error)
{
    const struct listing *listing = context;
    char first[21], last[21];
    clock_format_utc(line->first_ns, first);
    clock_format_utc(line->last_ns, last);
    if (listing->call->json) {
        json_t *object = json_pack(
            "{s:s, s:o, s:s, s:s, s:o, s:b}", "kind", kind_name(listing, line->kind), "key",
            cli_json_text(line->key), "first", first, "last", last, "categories",
            categories_json(line->categories), "statistics_only", (int)line->statistics_only);
        CHECK(object != NULL);
        return cli_json_print(object, true, error);
    }
    printf("%s  %s  ", first, last);
    put_padded(kind_name(listing, line->kind));
    put_padded(line->key);
    printf("%s\n", line->categories[0] != '\0' ? line->categories
                   : line->statistics_only     ? "in statistics only"
                                               : "presence only");
    return STATUS_OK;
}

static enum status print_end(const struct listing *listing, struct error *error)
{
    const struct people_count count = people_count(listing->people);
    char since[SINCE_TEXT_ROOM];
    since_format(count.since_ns, since);
    exposure_tell_since(listing->call, since, cli_value(listing->call, "from"));
    if (!listing->call->json) {
        printf("\n%" PRIu64 " people were given to %s", count.named + count.erased,
               listing->partner);
        if (count.erased > 0)
            printf(", %" PRIu64 " of whom were erased here and have no name any more",
                   count.erased);
        return printf(".\n") < 0 ? error_set(error, STATUS_IO, "58030", NULL, "cannot write")
                                 : STATUS_OK;
    }
    json_t *object =
        json_pack("{s:o, s:I, s:I}", "since", exposure_since_json(since), "people",
                  (json_int_t)(count.named + count.erased), "erased", (json_int_t)count.erased);
    CHECK(object != NULL);
    return cli_json_print(object, true, error);
}

static enum status print_all(struct listing *listing, struct error *error)
{
    if (!listing->call->json) {
        printf("%-20s  %-20s  %-24s  %-24s  %s\n", "first", "last", "kind", "key", "categories");
    }
    TRY(people_each(listing->people, print_line, listing, error));
    return print_end(listing, error);
}

/* ---- the whole ---- */

static enum status check_partner(const struct listing *listing, struct error *error)
{
    const struct people_count count = people_count(listing->people);
    if (count.named + count.erased > 0 ||
        policy_find_partner(listing->casework->policy, listing->partner) != NULL)
        return STATUS_OK;
    return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam partner list names them",
                     "partner \"%.63s\" is not in the policy, and was given nobody then",
                     listing->partner);
}

enum status exposure_list(const struct cli_call *call, const char *partner, struct error *error)
{
    struct listing listing = {.call = call, .partner = partner};
    TRY(casework_open_bare(call->config_path, NULL, &listing.casework, error));
    enum status status = read_people(&listing, error);
    if (status == STATUS_OK)
        status = check_partner(&listing, error);
    if (status == STATUS_OK)
        status = record(&listing, error);
    if (status == STATUS_OK)
        status = print_all(&listing, error);
    people_free(listing.people);
    casework_close(listing.casework);
    return status;
}
