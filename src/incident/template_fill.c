/* Filling a template: its lines become blocks. No line is looked at twice but in {each}. */
#include <string.h>

#include "incident/document.h"
#include "incident/template_private.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct filler {
    const struct template *template;
    const struct template_values *values;
    struct arena *arena;
    struct document *document;
    size_t room;         /* of document->blocks */
    struct buffer words; /* of the block that is being made */
    struct block block;  /* its head; line 0: none is being made */
    const char *list, *item;
    struct error *error;
};

static bool term_holds(const struct filler *filler, const struct term *term)
{
    const struct template_schema *schema = filler->template->schema;
    const struct template_values *values = filler->values;
    size_t len = strlen(term->name);
    bool holds;
    if (template_among(schema->texts, term->name, len) != NULL) {
        const char *text = values->text(values->context, term->name);
        holds = text != NULL && text[0] != '\0';
    } else if (template_among(schema->lists, term->name, len) != NULL) {
        holds = values->item(values->context, term->name, 0) != NULL;
    } else {
        holds = values->holds(values->context, term->name);
    }
    return holds != term->negated;
}

static bool condition_holds(const struct filler *filler, const struct line *line)
{
    for (size_t i = 0; i < line->term_count; i++)
        if (term_holds(filler, &line->terms[i]) == line->any)
            return line->any;
    return !line->any;
}

/* Ends the block that is being made. */
static enum status flush(struct filler *filler)
{
    struct block block = filler->block;
    filler->block = (struct block){0};
    const char *raw = buffer_text(&filler->words);
    if (block.line == 0)
        return STATUS_OK;
    struct document *document = filler->document;
    if (raw != NULL && document->count == filler->room) {
        size_t room = filler->room == 0 ? 32 : filler->room * 2;
        struct block *grown = arena_array(filler->arena, struct block, room);
        if (grown != NULL && document->count > 0)
            memcpy(grown, document->blocks, document->count * sizeof *grown);
        document->blocks = grown;
        filler->room = grown == NULL ? 0 : room;
    }
    block.text = raw == NULL ? NULL : document_clean(raw, filler->arena);
    buffer_clear(&filler->words);
    if (block.text == NULL || document->blocks == NULL)
        return error_set(filler->error, STATUS_LIMIT, "54000", NULL, "%s:%d: the text is too long",
                         filler->template->name, block.line);
    if (block.text[0] != '\0')
        document->blocks[document->count++] = block;
    return STATUS_OK;
}

/* A value may hold lines and paragraphs: an empty line begins a paragraph. */
static enum status add_value(struct filler *filler, const char *value)
{
    while (*value != '\0') {
        size_t len = strcspn(value, "\n");
        buffer_append(&filler->words, value, len);
        value += len;
        size_t breaks = strspn(value, "\r\n");
        if (breaks > 0)
            buffer_append_u8(&filler->words, ' ');
        if (breaks > 1 && memchr(value + 1, '\n', breaks - 1) != NULL && value[breaks] != '\0') {
            struct block next = filler->block;
            TRY(flush(filler));
            filler->block = next;
            filler->block.kind = BLOCK_PARAGRAPH;
        }
        value += breaks;
    }
    return STATUS_OK;
}

static enum status add_words(struct filler *filler, const struct line *line)
{
    if (filler->words.len > 0)
        buffer_append_u8(&filler->words, ' ');
    for (const char *at = line->text; *at != '\0';) {
        size_t len = strcspn(at, "{");
        buffer_append(&filler->words, at, len);
        at += len;
        if (*at == '\0')
            break;
        size_t name_len = strcspn(at + 1, "}");
        const char *name = template_among(filler->template->schema->texts, at + 1, name_len);
        const char *value = name == NULL ? filler->item /* check_words: it is {item} */
                                         : filler->values->text(filler->values->context, name);
        if (value == NULL || value[0] == '\0')
            return error_set(filler->error, STATUS_INVALID, "22023",
                             "give it a value, or put the line between {if NAME} and {end}",
                             "%s:%d: there is no value for {%.*s}", filler->template->name,
                             line->number, (int)name_len, at + 1);
        TRY(add_value(filler, value));
        at += name_len + 2;
    }
    return STATUS_OK;
}

/* A line of words: continues a paragraph (or, indented, an item), or begins a block. */
static enum status fill_words(struct filler *filler, const struct line *line)
{
    enum block_kind kind = line->kind == LINE_ITEM      ? BLOCK_ITEM
                           : line->kind == LINE_HEADING ? BLOCK_HEADING
                                                        : BLOCK_PARAGRAPH;
    bool continues = line->kind == LINE_TEXT && filler->block.line != 0 &&
                     (filler->block.kind == BLOCK_PARAGRAPH ||
                      (filler->block.kind == BLOCK_ITEM && line->text[0] == ' '));
    if (!continues) {
        TRY(flush(filler));
        filler->block = (struct block){
            .kind = kind, .line = line->number, .section = line->section, .list = filler->list};
    }
    TRY(add_words(filler, line));
    return kind == BLOCK_HEADING ? flush(filler) : STATUS_OK;
}

static enum status fill_range(struct filler *filler, size_t from, size_t to);

static enum status fill_each(struct filler *filler, const struct line *line, size_t at)
{
    const struct template_values *values = filler->values;
    filler->list = template_among(filler->template->schema->lists, line->text, strlen(line->text));
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK; i++) {
        filler->item = values->item(values->context, filler->list, i);
        if (filler->item == NULL)
            break;
        status = fill_range(filler, at + 1, line->end);
    }
    filler->list = filler->item = NULL;
    return status;
}

static enum status fill_range(struct filler *filler, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct line *line = &filler->template->lines[i];
        if (line->kind == LINE_IF) {
            if (condition_holds(filler, line))
                TRY(fill_range(filler, i + 1, line->other));
            else if (line->other < line->end)
                TRY(fill_range(filler, line->other + 1, line->end));
            i = line->end;
        } else if (line->kind == LINE_EACH) {
            TRY(fill_each(filler, line, i));
            i = line->end;
        } else if (line->kind == LINE_BLANK) {
            TRY(flush(filler));
        } else {
            TRY(fill_words(filler, line));
        }
    }
    return STATUS_OK;
}

enum status template_fill(const struct template *filled, const char *section,
                          const struct template_values *values, struct arena *arena,
                          struct document *document, struct error *error)
{
    size_t from = 0, to = filled->line_count;
    while (section != NULL && from < to && strcmp(filled->lines[from].section, section) != 0)
        from++;
    for (size_t i = from; section != NULL && i < filled->line_count; i++)
        if (strcmp(filled->lines[i].section, section) == 0)
            to = i + 1;
    struct document made = {0};
    struct filler filler = {
        .template = filled, .values = values, .arena = arena, .document = &made, .error = error};
    buffer_init(&filler.words, BLOCK_BYTES);
    enum status status = fill_range(&filler, from, to);
    if (status == STATUS_OK)
        status = flush(&filler);
    buffer_free(&filler.words);
    if (status == STATUS_OK)
        *document = made;
    return status;
}
