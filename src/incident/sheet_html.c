/* The sheet as a page that stands by itself: headings for those who hear it, boxes that are words
 * and not colour alone, answers that are selected whole (user-select: all) and can be reached by
 * keyboard. No script, no link, nothing remote. */
#include "incident/sheet.h"

#include "incident/document.h"
#include "incident/layout.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n<style>\n"
    "body { font: 1rem/1.5 sans-serif; color: #1a1a1a; background: #fff; max-width: 46rem;"
    " margin: 2rem auto; padding: 0 1rem }\n"
    "h2 { border-top: 2px solid #1a1a1a; padding-top: .5rem; margin-top: 2.5rem }\n"
    "h3 { font-size: 1rem; margin-bottom: .25rem }\n"
    ".help { margin: 0; color: #505050 }\n"
    "ul { list-style: none; margin: .25rem 0; padding: 0 }\n"
    ".answer { white-space: pre-wrap; border: 1px solid #767676; padding: .5rem .75rem;"
    " margin: .5rem 0; user-select: all; -webkit-user-select: all }\n"
    ".answer:focus { outline: 3px solid #0b57d0 }\n"
    ".missing { white-space: pre-wrap; border-left: .4rem solid #b00020; padding-left: .75rem; "
    "margin: .5rem 0 }\n"
    "@media print { .answer { border-color: #000 } }\n</style>\n<title>";

static void element(const char *name, const char *attributes, const char *text, struct buffer *out)
{
    buffer_printf(out, "<%s%s>", name, attributes);
    document_escape(text, out);
    buffer_printf(out, "</%s>\n", name);
}

static void write_boxes(const struct sheet_answer *answer, struct buffer *out)
{
    if (answer->box_count == 0)
        return;
    buffer_append_text(out, "<ul>\n");
    for (size_t i = 0; i < answer->box_count; i++) {
        bool ticked = answer->boxes[i].ticked;
        buffer_append_text(out, ticked ? "<li><strong>[x] " : "<li>[ ] ");
        document_escape(answer->boxes[i].label, out);
        buffer_append_text(out, ticked ? "</strong></li>\n" : "</li>\n");
    }
    buffer_append_text(out, "</ul>\n");
}

static void write_answer(const struct sheet_answer *answer, struct buffer *out)
{
    buffer_printf(out, "<h3 id=\"q%s\">%s ", answer->number, answer->number);
    document_escape(answer->ask, out);
    buffer_append_text(out, "</h3>\n");
    if (answer->help != NULL)
        element("p", " class=\"help\"", answer->help, out);
    write_boxes(answer, out);
    if (answer->text != NULL) {
        buffer_printf(out,
                      "<div class=\"answer\" tabindex=\"0\" role=\"group\" "
                      "aria-labelledby=\"q%s\">",
                      answer->number);
        document_escape(answer->text, out);
        buffer_append_text(out, "</div>\n");
    }
    if (answer->most_characters > 0)
        buffer_printf(out,
                      "<p class=\"missing\">TOO LONG: %zu characters, the form takes %zu.</p>\n",
                      layout_characters(answer->text), answer->most_characters);
    if (answer->warning != NULL)
        element("p", " class=\"missing\"", answer->warning, out);
    for (size_t i = 0; i < answer->missing_count; i++)
        element("p", " class=\"missing\"", answer->missing[i], out);
}

void sheet_html(const struct sheet *sheet, struct buffer *out)
{
    buffer_append_text(out, head);
    document_escape(sheet->title, out);
    buffer_append_text(out, "</title>\n</head>\n<body>\n<main>\n");
    element("h1", "", sheet->title, out);
    for (size_t i = 0; i < sheet->note_count; i++)
        if (sheet->notes[i][0] != '\0')
            element("p", "", sheet->notes[i], out);
    for (size_t i = 0; i < sheet->section_count; i++) {
        const struct sheet_section *section = &sheet->sections[i];
        if (section->answer_count == 0)
            continue;
        buffer_printf(out, "<section aria-labelledby=\"s%zu\">\n<h2 id=\"s%zu\">%zu ", i + 1, i + 1,
                      i + 1);
        document_escape(section->title, out);
        buffer_append_text(out, "</h2>\n");
        for (size_t j = 0; j < section->answer_count; j++)
            write_answer(&section->answers[j], out);
        buffer_append_text(out, "</section>\n");
    }
    buffer_append_text(out, "</main>\n</body>\n</html>\n");
}
