/* Notices: who gets which message in which order; what is approved stays what it is. The scope is
 * made by hand, of people who differ in one thing each; case file and policy are real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "../ledger/folder.h"
#include "incident/notice_private.h"

static const struct scope_fact facts[] = {
    {"customer", "full_name", "name", "clear", SCOPE_DIRECT},           /* 0 */
    {"customer", "street", "address", "clear", SCOPE_DIRECT},           /* 1 */
    {"customer", "phone", "phone", "masked", SCOPE_DIRECT},             /* 2 */
    {"customer", "customer_id", "identifier", "token", SCOPE_DIRECT},   /* 3 */
    {"customer", "gender", "gender", "clear", SCOPE_AGGREGATE},         /* 4 */
    {"payment_method", "iban", "financial", "masked", SCOPE_DECLARED},  /* 5 */
    {"customer", "birth_date", "date_of_birth", "clear", SCOPE_DIRECT}, /* 6 */
    {"customer", "email", "email", "clear", SCOPE_DIRECT},              /* 7 */
    {"enquirer", "full_name", "name", "clear", SCOPE_DIRECT},           /* 8 */
};
static const uint32_t few[] = {0, 1}, part[] = {0, 2, 3, 4}, token[] = {3}, counted[] = {4},
                      declared[] = {5}, many[] = {0, 1, 2, 6, 7}, enquiry[] = {8};
static const struct scope_class classes[] = {{few, 2},      {part, 4}, {token, 1},  {counted, 1},
                                             {declared, 1}, {many, 5}, {enquiry, 1}};
enum { FEW, PART, TOKEN, COUNTED, DECLARED, MANY, ENQUIRY };
static const char *const brands[] = {"", "meridian", "dacre"};
static const char *const languages[] = {"", "en", "fr", "pl"};
static const char *const countries[] = {"", "GB", "FR"};

/* id, kind, flags, class, brand, language, country */
static const struct scope_person people[] = {
    {1, 0, 0, FEW, 1, 1, 1},
    {2, 0, 0, FEW, 2, 2, 1},               /* French in Britain */
    {3, 0, 0, TOKEN, 1, 1, 1},             /* a token alone: nobody to write to */
    {4, 0, 0, COUNTED, 1, 1, 1},           /* in a statistic alone */
    {5, 0, SCOPE_CONFIRMED, FEW, 1, 1, 1}, /* first of all */
    {6, 0, 0, DECLARED, 1, 1, 1},          /* a sensitive category: second */
    {7, 0, 0, MANY, 1, 3, 2},              /* Polish in France */
    {8, 0, SCOPE_DECEASED, PART, 0, 0, 0}, /* nothing known */
    {9, 1, SCOPE_CHILD, ENQUIRY, 1, 1, 1},
};
enum { PEOPLE = sizeof people / sizeof people[0] };

static struct test_folder folder;
static struct casework casework;
static struct config config = {.data_folder = SHARE};
static struct scope scope;
static struct notice *notice;

static int set_up(void **state)
{
    struct error error = {0};
    char path[300];
    folder_make(&folder);
    snprintf(path, sizeof path, "%s/incidents", folder.path);
    casework = (struct casework){.config = &config, .by = "ihartley"};
    if (policy_load(DEMO_POLICY, &casework.policy, &error) != STATUS_OK ||
        incidents_open(path, &casework.incidents, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct incident incident = {.partner = "north-mail",
                                .opened_by = "ihartley",
                                .noticed_ns = INT64_C(1795168200) * 1000000000,
                                .opened_ns = INT64_C(1795168300) * 1000000000,
                                .contained_ns = INT64_C(1795168301) * 1000000000,
                                .from_ns = INT64_MIN,
                                .to_ns = INT64_MIN,
                                .closed_ns = INT64_MIN};
    struct incident_phase phase = {.number = 1, .by = "ihartley", .reason = "opened"};
    if (incidents_create(casework.incidents, &incident, &phase, &incident.number, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    scope = (struct scope){.incident = incident,
                           .phase = phase,
                           .facts = facts,
                           .fact_count = sizeof facts / sizeof facts[0],
                           .classes = classes,
                           .class_count = sizeof classes / sizeof classes[0],
                           .people = people,
                           .person_count = PEOPLE,
                           .brands = brands,
                           .brand_count = 3,
                           .languages = languages,
                           .language_count = 4,
                           .countries = countries,
                           .country_count = 3,
                           .sha256 = "00"};
    return 0;
}

static int tear_down(void **state)
{
    notice_close(notice);
    notice = NULL;
    policy_release(casework.policy);
    incidents_close(casework.incidents);
    folder_remove(&folder);
    return 0;
}

static void open_notice(scope_grades grades)
{
    struct error error = {0};
    notice_close(notice);
    notice = NULL;
    if (notice_open(&casework, &scope, grades, &notice, &error) != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
}

static void set_fact(const char *name, const char *value)
{
    struct error error = {0};
    if (incidents_set_fact(casework.incidents, 1, name, value, "ihartley", 1, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static const char *order(void)
{
    static char text[200];
    const struct outbox_person *audience;
    size_t count = notice_people(notice, &audience), used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%u:%u ", audience[i].id,
                                 audience[i].tier);
    return text;
}

static void the_most_endangered_come_first(void **state)
{
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_string_equal(order(), "5:0 6:1 7:2 1:3 2:3 8:3 9:3 ");
    /* The DPO includes those who are in statistics. */
    open_notice(SCOPE_GRADES_NOTIFIED | 1 << SCOPE_AGGREGATE);
    assert_string_equal(order(), "5:0 6:1 7:2 1:3 2:3 4:3 8:3 9:3 ");
}

static void variants_are_kind_brand_and_language(void **state)
{
    const struct notice_variant *variants;
    char text[600];
    size_t used = 0;
    open_notice(SCOPE_GRADES_NOTIFIED);
    size_t count = notice_variants(notice, &variants);
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s/%s/%s %s <%s> %d\n",
                             variants[i].kind, variants[i].brand, variants[i].language,
                             variants[i].sender_name, variants[i].sender, (int)variants[i].people);
    /* Polish is not offered: French, as in France. Without a brand the company itself writes. */
    assert_string_equal(text, "customer//en Meridian Motors UK <privacy@meridian.example> 1\n"
                              "customer/meridian/en Meridian <privacy@meridian.example> 3\n"
                              "customer/meridian/fr Meridian <privacy@meridian.example> 1\n"
                              "customer/dacre/fr Dacre <privacy@dacre.example> 1\n"
                              "enquirer/meridian/en Meridian <privacy@meridian.example> 1\n");
    assert_string_equal(variants[3].subject, "Dacre\xC2\xA0: une fuite de données vous concerne");
    assert_non_null(strstr(variants[1].opening, "We are sorry."));
}

static const char *names_of(const char *const *names, size_t count)
{
    static char text[2][600];
    static int next;
    char *made = text[next++ % 2];
    size_t used = 0;
    made[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(made + used, 600 - used, "%s ", names[i]);
    return made;
}

static void three_lines_of_a_person(void **state)
{
    open_notice(SCOPE_GRADES_NOTIFIED);
    const struct notice_class *class = notice_class_of(notice, &people[7]); /* PART */
    assert_int_equal(class->taken_count, 2);
    assert_string_equal(class->taken[0].name, "name");
    assert_false(class->taken[0].masked);
    assert_string_equal(class->taken[1].name, "phone");
    assert_true(class->taken[1].masked);
    /* Held, and the partner had it in no form: neither the token nor the statistic is here. */
    assert_string_equal(names_of(class->elsewhere, class->elsewhere_count),
                        "financial credential address date_of_birth email language preference "
                        "circumstances vin vrm vehicle purchase ");
    assert_string_equal(names_of(class->not_held, class->not_held_count),
                        "official_id health genetic biometric ethnicity belief sexuality criminal "
                        "location online image employment ");
    set_fact("notice_held_elsewhere", "health, employment");
    open_notice(SCOPE_GRADES_NOTIFIED);
    class = notice_class_of(notice, &people[7]);
    assert_non_null(strstr(names_of(class->elsewhere, class->elsewhere_count), "health "));
    assert_null(strstr(names_of(class->not_held, class->not_held_count), "health "));
}

static void approve(void)
{
    struct error error = {0};
    struct incident_notice approved = {.hash = notice_hash(notice),
                                       .approved_by = "ihartley",
                                       .approved_ns = INT64_C(1795200000) * 1000000000,
                                       .finished_ns = INT64_MIN,
                                       .phase = scope.phase.number,
                                       .settings = notice_settings(notice)};
    if (incidents_add_notice(casework.incidents, 1, &approved, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(approved.number, notice_number(notice));
}

static void what_changes_a_message_changes_the_hash(void **state)
{
    char first[65];
    open_notice(SCOPE_GRADES_NOTIFIED);
    snprintf(first, sizeof first, "%s", notice_hash(notice));
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_string_equal(notice_hash(notice), first);
    set_fact("partner_public_name", "North Mail");
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_string_not_equal(notice_hash(notice), first);
    snprintf(first, sizeof first, "%s", notice_hash(notice));
    open_notice(SCOPE_GRADES_NOTIFIED | 1 << SCOPE_AGGREGATE);
    assert_string_not_equal(notice_hash(notice), first);
    scope.sha256[0] = '1';
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_string_not_equal(notice_hash(notice), first);
}

static void an_approved_notice_keeps_its_facts(void **state)
{
    char first[65];
    set_fact("notice_what_happened", "Somebody copied a file.\n\nIt was a \\ big one.");
    open_notice(SCOPE_GRADES_NOTIFIED | 1 << SCOPE_AGGREGATE);
    snprintf(first, sizeof first, "%s", notice_hash(notice));
    approve();
    set_fact("notice_what_happened", "Something else.");
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_int_equal(notice_number(notice), 1);
    assert_string_equal(notice_hash(notice), first);
    assert_string_equal(notice_fact(&notice->facts, "notice_what_happened", "en"),
                        "Somebody copied a file.\n\nIt was a \\ big one.");
}

/* The people of a row of the summary; 0 where there is none. */
static int summary_people(const char *item, const char *language)
{
    struct table table;
    struct error error = {0};
    int people_count = 0;
    assert_int_equal(notice_summary(notice, &table, &error), STATUS_OK);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        if (strncmp(row->cells[0], item, strlen(item)) == 0 &&
            (language == NULL || (row->cells[3] != NULL && strcmp(row->cells[3], language) == 0)))
            people_count += (int)strtol(row->cells[4], NULL, 10);
    table_free(&table);
    return people_count;
}

static void the_summary_counts_the_audience(void **state)
{
    set_fact("notice_what_happened", "Somebody copied a file.");
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_int_equal(summary_people("messages in all", NULL), 7);
    assert_int_equal(summary_people("confirmed as taken", NULL), 1);
    assert_int_equal(summary_people("children", NULL), 1);
    assert_int_equal(summary_people("deceased", NULL), 1);
    assert_int_equal(summary_people("without an email", NULL), 7);
    assert_int_equal(summary_people("told what we do not keep", NULL), 7);
    assert_int_equal(summary_people("told what happened by the template", "fr"), 2);
    assert_int_equal(summary_people("told what happened by the template", "en"), 0);
}

static void staff_words_are_linted(void **state)
{
    struct error error = {0};
    set_fact("notice_what_happened", "Your data may have been seen.");
    assert_int_equal(notice_open(&casework, &scope, SCOPE_GRADES_NOTIFIED, &notice, &error),
                     STATUS_INVALID);
    notice = NULL;
    assert_non_null(strstr(error.message, "default.en.txt:"));
    assert_non_null(strstr(error.message, "hedges: \"may have been\""));
}

static void a_category_without_words_stops_it_before_anything_is_sent(void **state)
{
    static const struct scope_fact own[] = {
        {"customer", "sign", "x_star_sign", "clear", SCOPE_DIRECT}};
    static const uint32_t first[] = {0};
    static const struct scope_class class[] = {{first, 1}};
    struct error error = {0};
    scope.facts = own;
    scope.fact_count = 1;
    scope.classes = class;
    scope.class_count = 1;
    scope.person_count = 1;
    assert_int_equal(notice_open(&casework, &scope, SCOPE_GRADES_NOTIFIED, &notice, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "x_star_sign"));
}

static void channels(void **state)
{
    const char *reason;
    struct contact_person reached = {.email = "a@b.example", .post_count = 3};
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_READY);
    reached.safe_contact = reached.gone_away = true; /* mail is fine, the address is not */
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_READY);
    reached.email = "no address";
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_PUBLIC);
    assert_string_equal(reason, "safe contact: not by post");
    reached.safe_contact = false;
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_PUBLIC);
    assert_string_equal(reason, "gone away");
    reached.gone_away = false;
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_LETTER);
    assert_string_equal(reason, "the email address cannot be used");
    reached.email = NULL;
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_LETTER);
    reached.post_count = 0;
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_PUBLIC);
    reached = (struct contact_person){.email = "a@b.example", .deceased = true};
    assert_int_equal(notice_channel(notice, &reached, &reason), OUTBOX_SILENT);
}

static void samples_show_what_most_get_and_all_of_it(void **state)
{
    struct arena arena;
    struct mail_message common, full;
    struct error error = {0};
    arena_init(&arena, 4 * 1024 * 1024);
    open_notice(SCOPE_GRADES_NOTIFIED);
    assert_int_equal(notice_render_sample(notice, 1, NOTICE_SAMPLE_COMMON, "a@b.example", 0, &arena,
                                          &common, &error),
                     STATUS_OK);
    assert_int_equal(notice_render_sample(notice, 2, NOTICE_SAMPLE_FULL, "a@b.example", 0, &arena,
                                          &full, &error),
                     STATUS_OK);
    assert_non_null(strstr(common.text, "- your name\n- your postal address\n\n"));
    assert_non_null(strstr(full.text, "- votre date de naissance\n"));
    assert_non_null(strstr(full.html, "<html lang=\"fr\">"));
    assert_string_equal(full.language, "fr");
    assert_string_not_equal(common.message_id, full.message_id);
    bool is_confirmed = false; /* what is approved is what is sent: one of a variant is confirmed */
    const struct notice_variant *variants;
    for (size_t i = 0; i < notice_variants(notice, &variants); i++) {
        assert_int_equal(notice_render_sample(notice, i, NOTICE_SAMPLE_FULL, "a@b.example", 0,
                                              &arena, &full, &error),
                         STATUS_OK);
        is_confirmed |=
            strstr(full.text, "We know that some of your information was taken") != NULL;
    }
    assert_true(is_confirmed);
    assert_non_null(strstr(common.message_id, "@meridian.example"));
    arena_free(&arena);
}

#define WITH_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CASE(the_most_endangered_come_first),
        WITH_CASE(variants_are_kind_brand_and_language),
        WITH_CASE(three_lines_of_a_person),
        WITH_CASE(what_changes_a_message_changes_the_hash),
        WITH_CASE(an_approved_notice_keeps_its_facts),
        WITH_CASE(the_summary_counts_the_audience),
        WITH_CASE(staff_words_are_linted),
        WITH_CASE(a_category_without_words_stops_it_before_anything_is_sent),
        WITH_CASE(channels),
        WITH_CASE(samples_show_what_most_get_and_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
