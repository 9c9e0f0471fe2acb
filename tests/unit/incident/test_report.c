/* The sheets for authorities: what is answered from the case, what is missing, what changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "example_case.h"
#include "incident/report.h"

enum { SHEET_ROOM = 4 * 1024 * 1024 };

struct desk {
    struct example_case example;
    struct form *form;
    struct jurisdiction *jurisdiction;
    struct words *facts, *words;
    struct report_case of;
    struct sheet sheet;
    struct buffer text;
};

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s (%s)", error->message, error->hint);
}

static void sit_down(struct desk *desk, const char *authority, bool bare)
{
    char path[512];
    struct error error = {0};
    *desk = (struct desk){0};
    if (bare)
        example_make_bare(&desk->example);
    else
        example_make(&desk->example);
    snprintf(path, sizeof path, SHARE "/reports/%s.yaml", authority);
    must(form_load(path, &desk->form, &error), &error);
    snprintf(path, sizeof path, SHARE "/jurisdictions/%s.yaml", desk->form->jurisdiction);
    must(jurisdiction_load(path, &desk->jurisdiction, &error), &error);
    must(words_load(SHARE "/reports/facts.yaml", &desk->facts, &error), &error);
    must(words_load(SHARE "/words/en.yaml", &desk->words, &error), &error);
    buffer_init(&desk->text, SHEET_ROOM);
    desk->of = (struct report_case){.brief = &desk->example.brief,
                                    .form = desk->form,
                                    .jurisdiction = desk->jurisdiction,
                                    .facts = desk->facts,
                                    .words = desk->words};
}

static const char *fill(struct desk *desk)
{
    struct error error = {0};
    must(report_fill(&desk->of, &desk->example.arena, &desk->sheet, &error), &error);
    buffer_clear(&desk->text);
    sheet_text(&desk->sheet, &desk->text);
    return buffer_text(&desk->text);
}

static void get_up(struct desk *desk)
{
    form_free(desk->form);
    jurisdiction_free(desk->jurisdiction);
    words_free(desk->facts);
    words_free(desk->words);
    buffer_free(&desk->text);
    example_free(&desk->example);
}

/* The answer to the question that begins with these words; fails where it is not asked. */
static const struct sheet_answer *answer_to(const struct desk *desk, const char *ask)
{
    for (size_t i = 0; i < desk->sheet.section_count; i++)
        for (size_t j = 0; j < desk->sheet.sections[i].answer_count; j++)
            if (strncmp(desk->sheet.sections[i].answers[j].ask, ask, strlen(ask)) == 0)
                return &desk->sheet.sections[i].answers[j];
    fail_msg("\"%s\" is not asked", ask);
    return NULL;
}

static bool is_asked(const struct desk *desk, const char *ask)
{
    for (size_t i = 0; i < desk->sheet.section_count; i++)
        for (size_t j = 0; j < desk->sheet.sections[i].answer_count; j++)
            if (strncmp(desk->sheet.sections[i].answers[j].ask, ask, strlen(ask)) == 0)
                return true;
    return false;
}

/* The ticked labels, with | between them. */
static void ticked_is(const struct sheet_answer *answer, const char *labels)
{
    char ticked[1024] = "";
    for (size_t i = 0; i < answer->box_count; i++)
        if (answer->boxes[i].ticked)
            snprintf(ticked + strlen(ticked), sizeof ticked - strlen(ticked), "%s%s",
                     ticked[0] == '\0' ? "" : "|", answer->boxes[i].label);
    assert_string_equal(ticked, labels);
}

static void says(const char *text, const char *words)
{
    if (text == NULL || strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, text == NULL ? "(nothing)" : text);
}

static void says_not(const char *text, const char *words)
{
    if (text != NULL && strstr(text, words) != NULL)
        fail_msg("\"%s\" is in: %s", words, text);
}

/* ---- the numbers ---- */

static void counts_people_and_records(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    fill(&desk);
    assert_string_equal(answer_to(&desk, "How many people could be affected?")->text, "15000");
    /* 7000 people in customer and vehicle, 5000 in customer, 400 in both, 2600 in enquirer */
    assert_string_equal(answer_to(&desk, "How many personal data records")->text, "22400");
    const char *note = answer_to(&desk, "Notes on the number of people")->text;
    says(note, "25 of them are confirmed");
    says(note, "15 of them are children");
    says(note, "310 other people were counted in statistics");
    says(note, "by 22 November 2026, 08:55 UTC"); /* when the attacker had gone */
    desk.example.brief.incident.to_ns = INT64_MIN;
    fill(&desk);
    says(answer_to(&desk, "Notes on the number of people")->text,
         "by 22 November 2026, 09:15 UTC"); /* when the partner was cut off */
    get_up(&desk);
}

static void says_that_records_were_dropped(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    fill(&desk);
    says_not(answer_to(&desk, "Notes on the number of people")->text, "no longer exist");
    desk.example.scope.since_ns = example_instant("2026-01-05T08:00:00Z");
    fill(&desk);
    says(answer_to(&desk, "Notes on the number of people")->text,
         "Our records of disclosures before 5 January 2026, 08:00 UTC no longer exist");
    get_up(&desk);
}

static void ticks_categories_of_the_scope(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    fill(&desk);
    const struct sheet_answer *categories = answer_to(&desk, "Which categories of personal data");
    ticked_is(categories, "Basic personal identifiers, such as name and contact details|"
                          "Other"); /* a customer number is no password */
    says(categories->text, "vehicle registration numbers (7,400 people)");
    says(categories->text, "customer numbers (12,000 people)");
    says(categories->text, "Not disclosed to the processor");
    says(categories->text, "though we hold it: passwords, bank or card details.");
    says_not(categories->text, "genetic"); /* nobody holds it */
    ticked_is(answer_to(&desk, "Which categories of people"),
              "Customers or prospective customers|Children");
    get_up(&desk);
}

/* "Yes" must not stand for people who wait for a letter. */
static void people_told_are_counted(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct brief *brief = &desk.example.brief;
    brief->messages = (struct standing_counts){.total = 1100,
                                               .states = {[OUTBOX_READY] = 30,
                                                          [OUTBOX_ACCEPTED] = 1000,
                                                          [OUTBOX_LETTER] = 40,
                                                          [OUTBOX_BOUNCED] = 5,
                                                          [OUTBOX_PUBLIC] = 8,
                                                          [OUTBOX_SILENT] = 17}};
    brief->open = (struct standing_open_ends){.letters = 45, .public_notices = 8};
    fill(&desk);
    const char *told = answer_to(&desk, "Have you told the people")->text;
    says(told, "handed over to our mail server: 1,000.");
    says(told, "Still to be sent by email: 30.");
    says(told, "By letter, not posted yet: 45.");
    says(told, "to be told by a public notice: 8.");
    says(told, "since they have died: 17.");
    brief->open = (struct standing_open_ends){0};
    fill(&desk);
    told = answer_to(&desk, "Have you told the people")->text;
    says(told, "By letter, posted: 45.");
    says(told, "They are being told, one by one."); /* 30 are still to be sent */
    get_up(&desk);
}

static void nobody_is_told_by_an_approval(void **state)
{
    static const char ask[] = "Have you told the people";
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct brief *brief = &desk.example.brief;
    brief->messages = (struct standing_counts){
        .total = 50, .states = {[OUTBOX_READY] = 46, [OUTBOX_IN_DOUBT] = 4}};
    fill(&desk);
    says(answer_to(&desk, ask)->text, "They are being told, one by one. The messages to them");
    says(answer_to(&desk, ask)->text, "Still to be sent by email: 46. In doubt, since");
    says_not(answer_to(&desk, ask)->text, "Yes");
    brief->messages.states[OUTBOX_READY] = brief->messages.states[OUTBOX_IN_DOUBT] = 0;
    brief->messages.states[OUTBOX_ACCEPTED] = 50;
    fill(&desk);
    says(answer_to(&desk, ask)->text, "Yes, one by one.");
    brief->messages.states[OUTBOX_ACCEPTED] = 40;
    brief->messages.states[OUTBOX_LETTER] = 10;
    brief->open = (struct standing_open_ends){.letters_waived = 10};
    fill(&desk);
    says(answer_to(&desk, ask)->text, "Some of them, one by one; not the others.");
    says(answer_to(&desk, ask)->text, "By letter, decided not to be sent: 10.");
    says_not(answer_to(&desk, ask)->text, "posted");
    get_up(&desk);
}

/* Everybody who is counted lives somewhere, and nobody else is counted there. */
static void countries_sum_to_the_people(void **state)
{
    uint64_t people[3], sum = 0;
    struct brief_count count;
    struct desk desk;
    sit_down(&desk, "eu", false);
    brief_count(desk.of.brief->scope, BRIEF_ALL, &count);
    brief_countries(desk.of.brief->scope, BRIEF_ALL, people);
    for (size_t i = 0; i < 3; i++)
        sum += people[i];
    assert_int_equal(sum, count.people);
    fill(&desk);
    says(answer_to(&desk, "Does it concern several states")->text,
         "GB: 14,625 people; FR: 375 people.");
    get_up(&desk);
}

/* One category of ours stands for several boxes of a form. */
static void categories_of_several_boxes_tick_them_all(void **state)
{
    static const struct scope_fact facts[] = {
        {"customer", "creed", "belief", "clear", SCOPE_DIRECT},
        {"customer", "partner", "sexuality", "clear", SCOPE_DIRECT}};
    static const uint32_t both[] = {0, 1};
    static const struct scope_class group = {both, 2};
    static const struct scope_person person = {.id = 1};
    static const char *const forms[] = {"ico", "eu"};
    static const char *const ticked[] = {
        "Political opinions|Religious or philosophical beliefs|Trade union membership|Sex life|"
        "Sexual orientation",
        "Special category: political, religious, philosophical beliefs|"
        "Special category: trade union membership|"
        "Special category: sex life or sexual orientation"};
    static const char *const asks[] = {"Which categories of personal data",
                                       "Categories of personal data"};
    for (size_t i = 0; i < 2; i++) {
        struct desk desk;
        sit_down(&desk, forms[i], false);
        desk.example.scope.facts = facts;
        desk.example.scope.fact_count = 2;
        desk.example.scope.classes = &group;
        desk.example.scope.class_count = 1;
        desk.example.scope.people = &person;
        desk.example.scope.person_count = 1;
        fill(&desk);
        ticked_is(answer_to(&desk, asks[i]), ticked[i]);
        get_up(&desk);
    }
}

/* Staff's own deliveries are another way, and some of them come after the containment. */
static void declared_deliveries_are_another_way(void **state)
{
    static const char measures[] = "Which measures were in place", done[] = "What have you done";
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct brief_ledger *ledger = &desk.example.brief.ledger;
    says(fill(&desk), "could reach our data only through a gateway");
    says_not(fill(&desk), "different people a day"); /* the budget of today */
    ledger->declared = 1;
    ledger->declared_last_ns = example_instant("2026-11-23T08:00:00Z");
    says_not(fill(&desk), "only through a gateway");
    says(answer_to(&desk, measures)->text,
         "through a gateway, besides deliveries that staff declared:");
    says(answer_to(&desk, done)->text, "by another way on 23 November 2026, 08:00 UTC.");
    ledger->declared_last_ns = example_instant("2026-11-21T08:00:00Z");
    fill(&desk);
    says_not(answer_to(&desk, done)->text, "another way");
    get_up(&desk);
}

static void statistics_alone_are_no_category(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct scope_person *people = arena_array(&desk.example.arena, struct scope_person, 40);
    for (size_t i = 0; i < 40; i++)
        people[i] = (struct scope_person){.id = (uint32_t)i, .group = 4};
    desk.example.scope.people = people;
    desk.example.scope.person_count = 40;
    fill(&desk);
    assert_string_equal(answer_to(&desk, "How many people could be affected?")->text, "0");
    ticked_is(answer_to(&desk, "Which categories of personal data"), "Not yet known");
    get_up(&desk);
}

/* ---- what is missing ---- */

static void says_what_is_missing_and_how_to_give_it(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", true);
    const char *text = fill(&desk);
    says(text, "MISSING: What happened, in a few plain sentences?\ncofferdam incident");
    const struct sheet_answer *likelihood = answer_to(&desk, "How likely is it");
    ticked_is(likelihood, "Not yet known");
    assert_int_equal(likelihood->missing_count, 1);
    says(likelihood->missing[0], "One of: very unlikely | unlikely | neutral | likely");
    says(likelihood->missing[0], "cofferdam incident fact 3 likelihood");
    const struct sheet_answer *when = answer_to(&desk, "When did it happen?");
    assert_null(when->text);
    assert_int_equal(when->missing_count, 1);
    says(when->missing[0], "incident fact 3 happened_at");
    /* known without anybody's help */
    assert_int_equal(answer_to(&desk, "When did you discover it?")->missing_count, 0);
    assert_int_equal(answer_to(&desk, "Data protection officer")->missing_count, 0);
    assert_int_equal(answer_to(&desk, "Data protection registration")->missing_count, 0);
    char count[64];
    snprintf(count, sizeof count, "Answers missing: %zu.", desk.sheet.missing_count);
    assert_true(desk.sheet.missing_count > 15);
    says(text, count);
    get_up(&desk);
}

static void a_window_answers_when_it_happened(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    fill(&desk);
    const struct sheet_answer *when = answer_to(&desk, "When did it happen?");
    says(when->text, "From 20 November 2026, 22:00 UTC to 22 November 2026, 08:55 UTC");
    assert_int_equal(when->missing_count, 0);
    get_up(&desk);
}

static void cyber_questions_only_for_cyber_incidents(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", true);
    fill(&desk);
    assert_true(is_asked(&desk, "What is the impact on your organisation?")); /* not known yet */
    example_fact(&desk.example, "cyber", "no", "2026-11-22T11:00:00Z");
    fill(&desk);
    assert_false(is_asked(&desk, "What is the impact on your organisation?"));
    get_up(&desk);
}

static void a_long_answer_is_marked(void **state)
{
    static char longer[4000];
    memset(longer, 'a', sizeof longer - 1);
    struct desk desk;
    sit_down(&desk, "ico", true);
    example_fact(&desk.example, "what_happened", longer, "2026-11-22T11:00:00Z");
    says(fill(&desk), "TOO LONG: ");
    get_up(&desk);
}

static void addresses_of_people_are_pointed_out(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", true);
    example_fact(&desk.example, "how", "As j.smith@mail.example told us.", "2026-11-22T11:00:00Z");
    example_fact(&desk.example, "measures_taken", "Ask dpo@meridian.example.",
                 "2026-11-22T11:00:00Z");
    says(fill(&desk), "CHECK: an e-mail address stands in this answer.");
    assert_non_null(answer_to(&desk, "How did it happen?")->warning);
    assert_null(answer_to(&desk, "What have you done about it?")->warning);
    assert_null(answer_to(&desk, "Data protection officer")->warning);
    get_up(&desk);
}

/* ---- containment, clocks, filings ---- */

static void containment_is_told_from_the_ledger(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    fill(&desk);
    const char *ask = "What have you done about it?";
    says(answer_to(&desk, ask)->text,
         "cut off on 22 November 2026, 09:15 UTC, 1 minute 41 seconds");
    says(answer_to(&desk, ask)->text, "It has had none since.");
    desk.example.brief.ledger.restored_ns = example_instant("2026-11-23T08:00:00Z");
    fill(&desk);
    says(answer_to(&desk, ask)->text, "It was given access again on 23 November 2026, 08:00 UTC.");
    says_not(answer_to(&desk, ask)->text, "none since");
    desk.example.brief.ledger.contained_ns = INT64_MIN;
    fill(&desk);
    says(answer_to(&desk, ask)->text, "has not been cut off");
    get_up(&desk);
}

/* Never an instant up to which the scope does not count. */
static void people_are_counted_up_to_the_phase(void **state)
{
    static const char ask[] = "Notes on the number of people",
                      by[] = "by 22 November 2026, 09:15 UTC";
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct brief *brief = &desk.example.brief;
    brief->incident.to_ns = INT64_MIN;
    brief->incident.contained_ns = example_instant("2026-11-23T10:00:00Z"); /* after the phase */
    fill(&desk);
    says(answer_to(&desk, ask)->text, by);
    brief->incident.contained_ns = example_instant("2026-11-20T10:00:00Z");
    brief->ledger.restored_ns = example_instant("2026-11-21T10:00:00Z");
    fill(&desk);
    says(answer_to(&desk, ask)->text, by);
    get_up(&desk);
}

static void late_reports_give_reasons(void **state)
{
    int64_t due_ns, filed_ns;
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct brief *brief = &desk.example.brief;
    brief->now_ns = example_instant("2026-11-25T09:14:00Z");
    assert_false(report_is_late(&desk.of, &due_ns, &filed_ns));
    assert_int_equal(due_ns, example_instant("2026-11-25T09:14:00Z"));
    assert_int_equal(filed_ns, INT64_MIN);
    fill(&desk);
    assert_false(is_asked(&desk, "Why is this report later"));
    brief->now_ns++;
    assert_true(report_is_late(&desk.of, &due_ns, &filed_ns));
    fill(&desk);
    const struct sheet_answer *why = answer_to(&desk, "Why is this report later");
    says(why->text, "It was due on 25 November 2026, 09:14 UTC.");
    assert_int_equal(why->missing_count, 1);
    says(why->missing[0], "delay_reason");
    /* filed in time: a follow-up is not late, whenever it is made */
    example_filing(&desk.example, "ico", "IC-1", "2026-11-23T10:00:00Z", "1");
    assert_false(report_is_late(&desk.of, &due_ns, &filed_ns));
    get_up(&desk);
}

static void another_authority_stops_no_clock(void **state)
{
    int64_t due_ns, filed_ns;
    struct desk desk;
    sit_down(&desk, "eu", false);
    desk.example.brief.now_ns = example_instant("2026-12-01T00:00:00Z");
    example_filing(&desk.example, "ico", "IC-1", "2026-11-23T10:00:00Z", "1");
    assert_true(report_is_late(&desk.of, &due_ns, &filed_ns));
    fill(&desk);
    ticked_is(answer_to(&desk, "Is this an initial notification"), "Initial");
    says(answer_to(&desk, "Other authorities and organisations told")->text,
         "ico: told on 23 November 2026, 10:00 UTC, reference IC-1.");
    get_up(&desk);
}

static void follow_ups_say_what_changed(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    struct scope earlier = desk.example.scope;
    earlier.person_count = 7000; /* customers with a car, as first thought */
    desk.of.earlier = &earlier;
    desk.example.brief.phase.number = 2;
    example_filing(&desk.example, "ico", "IC-77", "2026-11-22T14:00:00Z", "1");
    example_fact(&desk.example, "prevention", "Hardware keys.", "2026-11-22T14:30:00Z");
    fill(&desk);
    ticked_is(answer_to(&desk, "Is this an initial report"), "Follow-up report");
    assert_string_equal(answer_to(&desk, "Case reference")->text, "IC-77");
    const char *changes = answer_to(&desk, "What has changed")->text;
    says(changes, "Since the report of 22 November 2026, 14:00 UTC (phase 1)");
    says(changes, "People: 15,000, before 7,000 (+8,000)");
    says(changes, "Records: 22,400, before 14,000 (+8,400)");
    says(changes, "Categories added: telephone numbers, email addresses");
    says(changes, "New or changed: What will keep it from happening again?");
    says_not(changes, "what_went_wrong");
    get_up(&desk);
}

static void a_form_that_asks_for_nothing_known_is_refused(void **state)
{
    static const char *const wrong[] = {"own-referenz"};
    struct desk desk;
    struct error error = {0};
    sit_down(&desk, "ico", false);
    struct form_question question = {.ask = "?", .say = wrong, .say_count = 1, .line = 7};
    struct form_section section = {.title = "A", .questions = &question, .question_count = 1};
    struct form form = *desk.form;
    form.sections = &section;
    form.section_count = 1;
    desk.of.form = &form;
    assert_int_equal(report_fill(&desk.of, &desk.example.arena, &desk.sheet, &error),
                     STATUS_INVALID);
    says(error.message, ":7: there is no fact or value \"own-referenz\"");
    question.say_count = 0;
    question.only = "sunday";
    assert_int_equal(report_fill(&desk.of, &desk.example.arena, &desk.sheet, &error),
                     STATUS_INVALID);
    says(error.message, "there is no condition \"sunday\"");
    get_up(&desk);
}

/* ---- how it looks ---- */

static void lines_are_short(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n"), characters = 0;
        for (size_t i = 0; i < len; i++)
            characters += ((unsigned char)line[i] & 0xC0) != 0x80;
        bool one_word = memchr(line, ' ', len) == NULL;
        if (characters > SHEET_COLUMNS && !one_word)
            fail_msg("%zu characters: %.*s", characters, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void examples_are_what_is_made(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", false);
    const char *text = fill(&desk);
    lines_are_short(text);
    example_compare("report-ico.txt", slice_of_text(text));
    get_up(&desk);
    sit_down(&desk, "eu", false);
    text = fill(&desk);
    lines_are_short(text);
    example_compare("report-eu.txt", slice_of_text(text));
    get_up(&desk);
}

static void the_page_stands_by_itself(void **state)
{
    struct desk desk;
    sit_down(&desk, "ico", true);
    example_fact(&desk.example, "what_happened", "<script>alert(\"1\")</script> & more",
                 "2026-11-22T11:00:00Z");
    fill(&desk);
    buffer_clear(&desk.text);
    sheet_html(&desk.sheet, &desk.text);
    const char *page = buffer_text(&desk.text);
    says(page, "<html lang=\"en\">");
    says(page, "default-src 'none'");
    says(page, "&lt;script&gt;");
    says(page, "&amp; more");
    says_not(page, "<script");
    says_not(page, "<a ");
    says_not(page, "<img");
    says_not(page, "<link");
    says_not(page, "url(");
    get_up(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_people_and_records),
        cmocka_unit_test(says_that_records_were_dropped),
        cmocka_unit_test(ticks_categories_of_the_scope),
        cmocka_unit_test(people_told_are_counted),
        cmocka_unit_test(nobody_is_told_by_an_approval),
        cmocka_unit_test(countries_sum_to_the_people),
        cmocka_unit_test(categories_of_several_boxes_tick_them_all),
        cmocka_unit_test(declared_deliveries_are_another_way),
        cmocka_unit_test(statistics_alone_are_no_category),
        cmocka_unit_test(says_what_is_missing_and_how_to_give_it),
        cmocka_unit_test(a_window_answers_when_it_happened),
        cmocka_unit_test(cyber_questions_only_for_cyber_incidents),
        cmocka_unit_test(a_long_answer_is_marked),
        cmocka_unit_test(addresses_of_people_are_pointed_out),
        cmocka_unit_test(containment_is_told_from_the_ledger),
        cmocka_unit_test(people_are_counted_up_to_the_phase),
        cmocka_unit_test(late_reports_give_reasons),
        cmocka_unit_test(another_authority_stops_no_clock),
        cmocka_unit_test(follow_ups_say_what_changed),
        cmocka_unit_test(a_form_that_asks_for_nothing_known_is_refused),
        cmocka_unit_test(examples_are_what_is_made),
        cmocka_unit_test(the_page_stands_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
