/* Pages: every value is escaped, and a template that is wrong is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "incident/page.h"

static const struct page_value values[] = {
    {"name", "<script>&\"'", false},
    {"markup", "<b>ours</b>", true},
    {"empty", "", false},
    {"none", NULL, false},
    {NULL, NULL, false},
};

static void gives(const char *template, const char *expected)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 10000);
    enum status status = page_fill("t", slice_of_text(template), values, &out, &error);
    const char *text = buffer_text(&out);
    if (status != STATUS_OK || strcmp(text, expected) != 0)
        fail_msg("\"%s\": %s \"%s\" %s, not \"%s\"", template, status_name(status), text,
                 error.message, expected);
    buffer_free(&out);
}

static void refuses(const char *template, const char *words)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 10000);
    enum status status = page_fill("t", slice_of_text(template), values, &out, &error);
    if (status != STATUS_INVALID || strstr(error.message, words) == NULL)
        fail_msg("\"%s\": %s \"%s\", not \"%s\"", template, status_name(status), error.message,
                 words);
    buffer_free(&out);
}

static void fills_and_escapes(void **state)
{
    gives("", "");
    gives("a {name} b", "a &lt;script&gt;&amp;&quot;&#39; b");
    gives("{markup}{empty}{none}", "<b>ours</b>");
    gives("<a style=\"{}\">{NAME}{1}{", "<a style=\"{}\">{NAME}{1}{");
}

static void asks_whether_there_is_a_value(void **state)
{
    gives("{if name}yes{else}no{end}!", "yes!");
    gives("{if none}yes{else}no{end}!", "no!");
    gives("{if empty}yes{end}!", "!");
    gives("{if none}{name}{end}{if markup}{markup}{end}", "<b>ours</b>");
}

static void refuses_wrong_templates(void **state)
{
    refuses("a\nb {nonsense}", "line 2");
    refuses("{ name}", "unknown name");
    refuses("{if nonsense}{end}", "unknown name");
    refuses("{if none}{nonsense}{end}", "unknown name");
    refuses("{if name}", "without {end}");
    refuses("{else}", "without {if}");
    refuses("{end}", "without {if}");
    refuses("{if name}{if none}{end}{end}", "within {if}");
}

static void makes_paragraphs_and_blocks(void **state)
{
    struct buffer out;
    struct block blocks[] = {
        {.kind = BLOCK_HEADING, .text = "H"}, {.kind = BLOCK_ITEM, .text = "a<b"},
        {.kind = BLOCK_ITEM, .text = "c"},    {.kind = BLOCK_PARAGRAPH, .text = "p"},
        {.kind = BLOCK_ITEM, .text = "d"},
    };
    const struct document document = {blocks, 5};
    buffer_init(&out, 10000);
    page_paragraphs("\none\ntwo <\n\n\n\nthree\n", &out);
    assert_string_equal(buffer_text(&out), "<p>one two &lt;</p>\n<p>three </p>\n");
    buffer_clear(&out);
    page_blocks(&document, &out);
    assert_string_equal(buffer_text(&out), "<h3>H</h3>\n<ul>\n<li>a&lt;b</li>\n<li>c</li>\n</ul>\n"
                                           "<p>p</p>\n<ul>\n<li>d</li>\n</ul>\n");
    buffer_free(&out);
}

static void loads_title_and_body(void **state)
{
    char path[] = "/tmp/cofferdam-page-XXXXXX";
    struct buffer bytes;
    struct slice body;
    const char *title = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    buffer_init(&bytes, 1000);
    assert_int_equal(write(fd, "Title\n\n<p>x</p>\n", 16), 16);
    assert_int_equal(page_load(path, &bytes, &title, &body, NULL), STATUS_OK);
    assert_string_equal(title, "Title");
    assert_true(slice_equal(body, slice_of_text("<p>x</p>\n")));
    buffer_clear(&bytes);
    assert_int_equal(ftruncate(fd, 6), 0);
    assert_int_equal(page_load(path, &bytes, &title, &body, NULL), STATUS_INVALID);
    close(fd);
    unlink(path);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_escapes),       cmocka_unit_test(asks_whether_there_is_a_value),
        cmocka_unit_test(refuses_wrong_templates), cmocka_unit_test(makes_paragraphs_and_blocks),
        cmocka_unit_test(loads_title_and_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
