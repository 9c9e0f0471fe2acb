/* The sheet as plain text. */
#include "incident/sheet.h"

#include <string.h>

#include "incident/layout.h"

enum { BOX_INDENT = 4 };

static void ruler(char c, struct buffer *out)
{
    char line[SHEET_COLUMNS + 1];
    memset(line, c, SHEET_COLUMNS);
    line[SHEET_COLUMNS] = '\n';
    buffer_append(out, line, sizeof line);
}

/* "[x] label", its other lines below the label. */
static void write_box(const struct sheet_box *box, struct buffer *out)
{
    struct buffer label;
    buffer_init(&label, 4096);
    layout_wrap(box->label, BOX_INDENT, SHEET_COLUMNS, &label);
    buffer_append_text(out, box->ticked ? "[x] " : "[ ] ");
    if (label.len > BOX_INDENT)
        buffer_append(out, label.data + BOX_INDENT, label.len - BOX_INDENT);
    buffer_free(&label);
}

static void write_answer(const struct sheet_answer *answer, struct buffer *out)
{
    struct buffer head;
    buffer_init(&head, 8192);
    buffer_printf(&head, "%s  %s", answer->number, answer->ask);
    buffer_append_text(out, "\n");
    layout_wrap(buffer_text(&head), 0, SHEET_COLUMNS, out);
    buffer_free(&head);
    if (answer->help != NULL)
        layout_wrap(answer->help, BOX_INDENT, SHEET_COLUMNS, out);
    for (size_t i = 0; i < answer->box_count; i++)
        write_box(&answer->boxes[i], out);
    if (answer->text != NULL) {
        ruler('-', out);
        layout_wrap(answer->text, 0, SHEET_COLUMNS, out);
        ruler('-', out);
    }
    if (answer->most_characters > 0)
        buffer_printf(out, "TOO LONG: %zu characters, the form takes %zu.\n",
                      layout_characters(answer->text), answer->most_characters);
    if (answer->warning != NULL)
        layout_wrap(answer->warning, 0, SHEET_COLUMNS, out);
    for (size_t i = 0; i < answer->missing_count; i++)
        layout_wrap(answer->missing[i], 0, SHEET_COLUMNS, out);
}

void sheet_text(const struct sheet *sheet, struct buffer *out)
{
    layout_wrap(sheet->title, 0, SHEET_COLUMNS, out);
    buffer_append_text(out, "\n");
    for (size_t i = 0; i < sheet->note_count; i++)
        layout_wrap(sheet->notes[i], 0, SHEET_COLUMNS, out);
    for (size_t i = 0; i < sheet->section_count; i++) {
        const struct sheet_section *section = &sheet->sections[i];
        if (section->answer_count == 0)
            continue;
        buffer_append_text(out, "\n");
        ruler('=', out);
        buffer_printf(out, "%zu  %s\n", i + 1, section->title);
        ruler('=', out);
        for (size_t j = 0; j < section->answer_count; j++)
            write_answer(&section->answers[j], out);
    }
}
