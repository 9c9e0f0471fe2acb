/* Templates: what they may say, how they are filled, and that a value is never more than words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "incident/document.h"
#include "incident/template.h"

static const char *const sections[] = {"subject", "body", NULL};
static const char *const texts[] = {"name", "empty", NULL};
static const char *const lists[] = {"things", "nothing", NULL};
static const char *const conditions[] = {"yes", "no", NULL};
static const struct template_schema schema = {sections, texts, lists, conditions};

static struct arena arena;
static const char *name_value;

static const char *text_of(const void *context, const char *name)
{
    return strcmp(name, "name") == 0 ? name_value : NULL;
}

static bool holds(const void *context, const char *condition)
{
    return strcmp(condition, "yes") == 0 || strcmp(condition, "vin") == 0;
}

static const char *item_of(const void *context, const char *list, size_t at)
{
    static const char *const things[] = {"one", "two"};
    return strcmp(list, "things") == 0 && at < 2 ? things[at] : NULL;
}

static const struct template_values values = {text_of, holds, item_of, NULL};

static int set_up(void **state)
{
    arena_init(&arena, 1024 * 1024);
    name_value = "Alex";
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

/* The body as text, or the error's message behind "! ". */
static const char *fill(const char *body)
{
    char whole[4096];
    struct error error = {0};
    struct template *template = NULL;
    struct document document;
    struct buffer out;
    snprintf(whole, sizeof whole, "[subject]\nHello\n[body] Head\n%s", body);
    enum status status = template_parse("t.txt", slice_of_text(whole), &schema, &template, &error);
    if (status == STATUS_OK)
        status = template_fill(template, "body", &values, &arena, &document, &error);
    const char *made = NULL;
    if (status == STATUS_OK) {
        buffer_init(&out, 64 * 1024);
        document_text(&document, &out);
        made = arena_strdup(&arena, buffer_text(&out));
        buffer_free(&out);
    }
    template_free(template);
    return status == STATUS_OK ? made : arena_printf(&arena, "! %s", error.message);
}

static void fills_words_and_lists(void **state)
{
    assert_string_equal(fill("Dear {name},\nwelcome.\n\n{each things}\n- a {item}\n{end}\nEnd.\n"),
                        "Head\n\nDear Alex, welcome.\n\n- a one\n- a two\n\nEnd.\n");
    assert_string_equal(fill("- first\n  and more\n- second\n"),
                        "Head\n\n- first and more\n- second\n");
    assert_string_equal(fill("# not said\n{each nothing}\n- {item}\n{end}\n"), "Head\n");
}

static void asks_conditions(void **state)
{
    assert_string_equal(fill("{if yes}\nA\n{else}\nB\n{end}\n"), "Head\n\nA\n");
    assert_string_equal(fill("{if no}\nA\n{else}\nB\n{end}\n"), "Head\n\nB\n");
    assert_string_equal(fill("{if not no}\nA\n{end}\n"), "Head\n\nA\n");
    assert_string_equal(fill("{if yes and no}\nA\n{end}\n"), "Head\n");
    assert_string_equal(fill("{if no or yes}\nA\n{end}\n"), "Head\n\nA\n");
    assert_string_equal(fill("{if vin and not vrm}\nA\n{end}\n"), "Head\n\nA\n");
    assert_string_equal(fill("{if name and things and not empty and not nothing}\nA\n{end}\n"),
                        "Head\n\nA\n");
    assert_string_equal(fill("{if yes}\n{if no}\nA\n{else}\nB\n{end}\nC\n{end}\n"),
                        "Head\n\nB C\n");
}

static void errors_name_file_and_line(void **state)
{
    assert_string_equal(fill("Dear {nobody},\n"), "! t.txt:4: unknown placeholder {nobody}");
    assert_string_equal(fill("Dear {name,\n"), "! t.txt:4: a brace without its partner");
    assert_string_equal(fill("a\n{if yes}\nb\n"), "! t.txt:5: no {end} before the file's end");
    assert_string_equal(fill("{end}\n"), "! t.txt:4: {end} without {if} or {each}");
    assert_string_equal(fill("{else}\n"), "! t.txt:4: {else} without {if}");
    assert_string_equal(fill("{if yes}\n{else}\n{else}\n{end}\n"),
                        "! t.txt:6: {else} without {if}");
    assert_string_equal(fill("{if perhaps}\n{end}\n"), "! t.txt:4: unknown condition \"perhaps\"");
    assert_string_equal(fill("{if yes and no or yes}\n{end}\n"),
                        "! t.txt:4: \"or\" cannot stand here");
    assert_string_equal(fill("{if yes and}\n{end}\n"), "! t.txt:4: a condition is missing");
    assert_string_equal(fill("{each wishes}\n{end}\n"), "! t.txt:4: unknown list \"wishes\"");
    assert_string_equal(fill("{item}\n"), "! t.txt:4: {item} outside of {each}");
    assert_string_equal(fill("{if yes} A {end}\n"),
                        "! t.txt:4: a command stands on a line of its own");
    assert_string_equal(fill("[body]\n"), "! t.txt:4: section [body] where the end is due");
    assert_string_equal(fill("Dear {empty},\n"), "! t.txt:4: there is no value for {empty}");
}

static void every_section_must_be_there(void **state)
{
    struct error error = {0};
    struct template *template = NULL;
    assert_int_equal(
        template_parse("t.txt", slice_of_text("[subject]\nA\n"), &schema, &template, &error),
        STATUS_INVALID);
    assert_string_equal(error.message, "t.txt:3: section [body] is missing");
    assert_int_equal(
        template_parse("t.txt", slice_of_text("[body]\nA\n"), &schema, &template, &error),
        STATUS_INVALID);
    assert_string_equal(error.message, "t.txt:1: section [body] where [subject] is due");
    assert_int_equal(
        template_parse("t.txt", slice_of_text("A\n[subject]\n"), &schema, &template, &error),
        STATUS_INVALID);
    assert_string_equal(error.message, "t.txt:1: text before the first section");
}

static void values_are_only_words(void **state)
{
    name_value = "- item\n[body] {if yes} {name}";
    assert_string_equal(fill("Dear {name},\n"), "Head\n\nDear - item [body] {if yes} {name},\n");
    name_value = "first\n\nsecond\r\n\r\nthird";
    assert_string_equal(fill("{name}\n"), "Head\n\nfirst\n\nsecond\n\nthird\n");
    name_value = "A\xE2\x80\xAE"
                 "B\x1b[31m\xC2\x85"
                 "C\xFF\xE2\x80\x8B"
                 "D\tE\xEF\xBB\xBF";
    assert_string_equal(fill("{name}\n"), "Head\n\nAB [31m CD E\n");
}

static void long_lines_are_wrapped(void **state)
{
    name_value = "éééééééééééééééééééé éééééééééééééééééééé éééééééééééééééééééé ééééééééé";
    assert_string_equal(fill("- {name} x\n"),
                        "Head\n\n- éééééééééééééééééééé éééééééééééééééééééé éééééééééééééééééééé\n"
                        "  ééééééééé x\n");
}

static void pages_say_the_same_escaped(void **state)
{
    struct block blocks[] = {{.kind = BLOCK_HEADING, .text = "Head"},
                             {.kind = BLOCK_ITEM, .text = "<a href=\"x\">&'"},
                             {.kind = BLOCK_ITEM, .text = "b"},
                             {.kind = BLOCK_PARAGRAPH, .text = "end"}};
    struct document document = {blocks, 4};
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    document_html(&document, "fr", "T<", &out);
    const char *page = buffer_text(&out);
    assert_non_null(strstr(page, "<html lang=\"fr\">"));
    assert_non_null(strstr(page, "<title>T&lt;</title>"));
    assert_non_null(strstr(page,
                           "<h2>Head</h2>\n<ul>\n<li>&lt;a href=&quot;x&quot;&gt;&amp;&#39;</li>"
                           "\n<li>b</li>\n</ul>\n<p>end</p>"));
    assert_null(strstr(page, "<a"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "://"));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_words_and_lists),      cmocka_unit_test(asks_conditions),
        cmocka_unit_test(errors_name_file_and_line),  cmocka_unit_test(every_section_must_be_there),
        cmocka_unit_test(values_are_only_words),      cmocka_unit_test(long_lines_are_wrapped),
        cmocka_unit_test(pages_say_the_same_escaped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
