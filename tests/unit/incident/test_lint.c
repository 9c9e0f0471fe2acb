/* The lint: each rule finds what it is for, names the line, and lets plain words pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "incident/lint.h"
#include "incident/sample.h"

static struct lint *english, *french;
static struct words *words;
static struct arena arena;

static int set_up(void **state)
{
    struct error error = {0};
    arena_init(&arena, 16 * 1024 * 1024);
    if (lint_load(SHARE "/notices/lint.en.yaml", &english, &error) != STATUS_OK ||
        lint_load(SHARE "/notices/lint.fr.yaml", &french, &error) != STATUS_OK ||
        words_load(SHARE "/words/en.yaml", &words, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return 0;
}

static int tear_down(void **state)
{
    lint_free(english);
    lint_free(french);
    words_free(words);
    arena_free(&arena);
    return 0;
}

/* "line rule found;" of each finding. */
static const char *write_findings(struct table *findings)
{
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    for (const struct table_row *row = findings->first; row != NULL; row = row->next)
        buffer_printf(&out, "%s %s %s;", row->cells[1], row->cells[2], row->cells[3]);
    const char *text = arena_strdup(&arena, buffer_text(&out));
    buffer_free(&out);
    table_free(findings);
    return text;
}

static const char *judge(const struct lint *lint, const char *text)
{
    struct table findings;
    struct error error = {0};
    lint_table(&findings);
    assert_int_equal(lint_text(lint, "t", text, &findings, &error), STATUS_OK);
    return write_findings(&findings);
}

static void finds_hedges(void **state)
{
    assert_string_equal(judge(english, "Hello.\n\nYour name may have been seen.\n"),
                        "3 hedges \"may have been\";3 hedges \"may have\";");
    assert_string_equal(judge(english, "WE HAVE NO EVIDENCE of harm."),
                        "1 hedges \"no evidence\";");
    assert_string_equal(judge(english, "Might\nshe come?"), "1 hedges \"might\";");
    assert_string_equal(judge(english, "The almighty mightily came. We may write again."), "");
    assert_string_equal(judge(french, "Vos données auraient\npu être vues."),
                        "1 hedges \"auraient pu\";");
    assert_string_equal(judge(french, "Rien n’indique cela. Il a lu. Elle va là."),
                        "1 hedges \"rien n'indique\";");
    assert_string_equal(judge(french, "À CE STADE, rien."), "1 hedges \"à ce stade\";");
}

static void finds_links_and_markup(void **state)
{
    assert_string_equal(judge(english, "See https://evil.example now."), "1 links \"://\";");
    assert_string_equal(judge(english, "See www.meridian.example now."), "1 links \"www.\";");
    assert_string_equal(judge(english, "Type meridian.example/privacy. Write to a@b.example."), "");
    assert_string_equal(judge(english, "A <b>bold</b> word."), "1 links \"<\";");
}

static void finds_requests_that_are_not_refusals(void **state)
{
    assert_string_equal(judge(english, "Please confirm your details."), "1 asks \"confirm your\";");
    assert_string_equal(judge(english, "Click here."), "1 asks \"click\";");
    assert_string_equal(judge(english, "We never send an attachment."), "");
    assert_string_equal(judge(english, "We never pay. Open the attachment."),
                        "1 asks \"attachment\";");
    assert_string_equal(judge(french, "Nos messages n'ont ni lien ni pièce jointe."), "");
    assert_string_equal(judge(french, "Voyez la pièce jointe."), "1 asks \"pièce jointe\";");
}

static void finds_long_sentences_and_hard_words(void **state)
{
    const char *found =
        judge(english, "We do this and that and this and that and this and that and this and that "
                       "and this and that and this and that and this and that and this.");
    assert_non_null(strstr(found, " words: \"We do this and that"));
    found = judge(english, "Notification obligations necessitate organisational communication "
                           "regarding confidentiality considerations.");
    assert_non_null(strstr(found, "1 reading ease Flesch-Kincaid grade"));
    found = judge(french, "Les considérations organisationnelles relatives à la confidentialité "
                          "nécessitent une communication institutionnelle appropriée.");
    assert_non_null(strstr(found, "1 reading ease Kandel-Moles score"));
}

/* Without notes, section names and conditions: what anybody can be sent. */
static const char *sentences_of(const char *path)
{
    struct buffer file, out;
    struct error error = {0};
    buffer_init(&file, 64 * 1024);
    buffer_init(&out, 64 * 1024);
    if (file_read(path, &file, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (const char *line = buffer_text(&file); *line != '\0';) {
        size_t len = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        if (strchr("#[{", *line) == NULL)
            buffer_append(&out, line, len);
        line += len;
    }
    const char *text = arena_strdup(&arena, buffer_text(&out));
    buffer_free(&file);
    buffer_free(&out);
    return text;
}

static void the_workers_answers_are_plain(void **state)
{
    static const char *const names[] = {"affected", "named", "unaffected"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path = arena_printf(&arena, SHARE "/answers/%s.en.txt", names[i]);
        assert_string_equal(judge(english, sentences_of(path)), "");
        path = arena_printf(&arena, SHARE "/answers/%s.fr.txt", names[i]);
        assert_string_equal(judge(french, sentences_of(path)), "");
    }
}

/* A template made of the real one with one line changed. */
static const char *judge_template(const char *line, const char *instead)
{
    struct buffer text, changed;
    struct error error = {0};
    struct template *template = NULL;
    struct letter_case about;
    struct table findings;
    buffer_init(&text, 64 * 1024);
    buffer_init(&changed, 64 * 1024);
    assert_int_equal(file_read(SHARE "/notices/default.en.txt", &text, &error), STATUS_OK);
    const char *whole = buffer_text(&text), *at = strstr(whole, line);
    assert_non_null(at);
    buffer_append(&changed, whole, (size_t)(at - whole));
    buffer_append_text(&changed, instead);
    buffer_append_text(&changed, at + strlen(line));
    if (template_parse("t.en.txt", buffer_slice(&changed), &letter_schema, &template, &error) !=
            STATUS_OK ||
        sample_case(words, &arena, &about, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    lint_table(&findings);
    if (lint_template(english, template, words, &about, &findings, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    template_free(template);
    buffer_free(&text);
    buffer_free(&changed);
    return write_findings(&findings);
}

static void templates_as_shipped_pass(void **state)
{
    assert_string_equal(judge_template("We are sorry.", "We are sorry."), "");
}

static void a_category_that_is_not_the_persons_own(void **state)
{
    const char *found =
        judge_template("{each advice}", "Your date of birth was there.\n{each advice}");
    assert_non_null(strstr(found, "category \"your date of birth\" is said to a person whose "
                                  "date_of_birth is not in the scope;"));
    /* Where the template asks first, it passes. */
    assert_string_equal(judge_template("{each advice}",
                                       "{if date_of_birth}\nYour date of birth was there.\n{end}\n"
                                       "\n{each advice}"),
                        "");
}

static void what_every_letter_must_hold(void **state)
{
    assert_non_null(
        strstr(judge_template("{reference}", "There is none."), "missing the reference;"));
    assert_non_null(strstr(judge_template("- by telephone: {dpo_phone}", "- by telephone"),
                           "missing the officer's telephone number;"));
    assert_non_null(strstr(judge_template("type {privacy_page} yourself", "type it yourself"),
                           "missing the address of the privacy page;"));
    assert_non_null(strstr(judge_template("{each taken}\n- {item}\n{end}", ""),
                           "missing the person's categories are named 0 times instead of 1;"));
}

static void the_opening_is_everybodys(void **state)
{
    assert_non_null(
        strstr(judge_template("We are sorry.", "We are sorry.\n{if vin}\nMind your car.\n{end}"),
               "opening the opening differs from person to person;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_hedges),
        cmocka_unit_test(finds_links_and_markup),
        cmocka_unit_test(finds_requests_that_are_not_refusals),
        cmocka_unit_test(finds_long_sentences_and_hard_words),
        cmocka_unit_test(templates_as_shipped_pass),
        cmocka_unit_test(the_workers_answers_are_plain),
        cmocka_unit_test(a_category_that_is_not_the_persons_own),
        cmocka_unit_test(what_every_letter_must_hold),
        cmocka_unit_test(the_opening_is_everybodys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
