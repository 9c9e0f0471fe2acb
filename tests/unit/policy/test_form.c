/* Forms of authorities: what is read, what is refused, and that the forms that we ship load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/form.h"

#define HEAD                                                                                       \
    "form: {title: Report, authority: ico, jurisdiction: uk-gdpr, where: online,"                  \
    " case_reference: ico_case_reference}\n"
#define ONE(question) HEAD "sections:\n  - title: First\n    questions:\n      - " question "\n"

static struct form *load(const char *path)
{
    struct form *form = NULL;
    struct error error = {0};
    if (form_load(path, &form, &error) != STATUS_OK)
        fail_msg("refused: %s (%s)", error.message, error.hint);
    return form;
}

static void refuse(const char *text, const char *message)
{
    struct form *form = NULL;
    struct error error = {0};
    enum status status = form_load(fixture_write(text), &form, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: says \"%s\", not \"%s\"", status_name(status), error.message, message);
    assert_null(form);
}

static void reads_questions_in_order(void **state)
{
    struct form *form = load(fixture_write(
        ONE("{ask: How likely?, tick: likelihood, most: 40, also: [why], only: late,\n"
            "         boxes: {Likely: [likely, very likely], Other: '*', Not known: '?'}}\n"
            "      - {ask: What?, say: [what, more], help: Plainly.}")));
    assert_string_equal(form->authority, "ico");
    assert_int_equal(form->section_count, 1);
    assert_int_equal(form->sections[0].question_count, 2);
    const struct form_question *ticked = &form->sections[0].questions[0];
    assert_string_equal(ticked->tick, "likelihood");
    assert_string_equal(ticked->only, "late");
    assert_int_equal(ticked->most_characters, 40);
    assert_int_equal(ticked->box_count, 3);
    assert_string_equal(ticked->boxes[0].label, "Likely");
    assert_int_equal(ticked->boxes[0].of_count, 2);
    assert_string_equal(ticked->boxes[0].of[1], "very likely");
    assert_int_equal(ticked->boxes[1].kind, FORM_BOX_REST);
    assert_int_equal(ticked->boxes[2].kind, FORM_BOX_UNKNOWN);
    assert_int_equal(ticked->boxes[2].of_count, 0);
    const struct form_question *said = &form->sections[0].questions[1];
    assert_int_equal(said->say_count, 2);
    assert_string_equal(said->say[1], "more");
    assert_string_equal(said->help, "Plainly.");
    assert_int_equal(said->line, 7);
    assert_int_equal(strlen(form->version), 64);
    form_free(form);
}

static void refuses_what_cannot_be_meant(void **state)
{
    refuse(ONE("{ask: What?}"), "nothing answers this question");
    refuse(ONE("{ask: What?, tick: likelihood}"), "\"tick\" and \"boxes\" go together");
    refuse(ONE("{ask: What?, say: [a], boxes: {A: a}}"), "\"tick\" and \"boxes\" go together");
    refuse(ONE("{ask: What?, says: [a]}"), "\"says\" is not known");
    refuse(ONE("{say: [a]}"), "\"ask\" is missing");
    refuse(ONE("{ask: What?, say: [a], most: 0}"), "most");
    refuse(HEAD "sections: [{title: A}]\n", "\"questions\" is missing");
    refuse("sections: []\n", "\"form\" is missing");
}

static void names_the_line(void **state)
{
    refuse(ONE("{ask: What?, say: [a], colour: red}"), ":5:");
}

static void refuses_no_file(void **state)
{
    struct form *form = NULL;
    struct error error = {0};
    assert_int_equal(form_load("/nonexistent/ico.yaml", &form, &error), STATUS_NOT_FOUND);
    assert_null(form);
}

static void loads_the_forms_that_we_ship(void **state)
{
    static const char *const names[] = {"ico", "eu"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.yaml", REPORTS, names[i]);
        struct form *form = load(path);
        assert_string_equal(form->authority, names[i]);
        assert_true(form->section_count >= 6);
        form_free(form);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_questions_in_order),
        cmocka_unit_test(refuses_what_cannot_be_meant),
        cmocka_unit_test(names_the_line),
        cmocka_unit_test(refuses_no_file),
        cmocka_unit_test(loads_the_forms_that_we_ship),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
