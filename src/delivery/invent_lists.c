/* Lists that canaries are made of: share/canaries/NAME.txt, a word a line; lines that begin with
 * "# " and blank ones are passed over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "delivery/invent_private.h"

enum { LIST_BYTES = 1024 * 1024, PATH_ROOM = 4096, WORD_BYTES = 63, LISTS = 4 };

struct invent_library {
    struct buffer texts[LISTS];
    const char **words[LISTS];
};

/* Cuts the text into lines, in place. */
static enum status cut(const char *path, struct buffer *text, const char ***words, size_t *count,
                       struct error *error)
{
    size_t lines = 1;
    buffer_append_u8(text, '\0');
    if (text->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "%s is too long", path);
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    *words = calloc(lines, sizeof **words);
    if (*words == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (char *line = (char *)text->data, *end; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (line[0] == '\0' || strncmp(line, "# ", 2) == 0)
            continue;
        if (strlen(line) > WORD_BYTES)
            return error_set(error, STATUS_INVALID, "F0000", NULL,
                             "%s: a word is longer than %d bytes", path, WORD_BYTES);
        (*words)[(*count)++] = line;
    }
    return STATUS_OK;
}

static enum status read_list(struct invent_library *library, size_t at, const char *folder,
                             const char *name, struct invent_words *list, struct error *error)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/canaries/%s.txt", folder, name);
    TRY(file_read(path, &library->texts[at], error));
    list->count = 0;
    enum status status = cut(path, &library->texts[at], &library->words[at], &list->count, error);
    list->words = library->words[at];
    return status;
}

enum status invent_library_open(const char *folder, struct invent_library **out,
                                struct invent_lists *lists, struct error *error)
{
    struct invent_library *library = calloc(1, sizeof *library);
    if (library == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < LISTS; i++)
        buffer_init(&library->texts[i], LIST_BYTES);
    enum status status = read_list(library, 0, folder, "given", &lists->given, error);
    if (status == STATUS_OK)
        status = read_list(library, 1, folder, "family", &lists->family, error);
    if (status == STATUS_OK)
        status = read_list(library, 2, folder, "streets", &lists->streets, error);
    if (status == STATUS_OK)
        status = read_list(library, 3, folder, "phones", &lists->phones, error);
    if (status == STATUS_OK)
        *out = library;
    else
        invent_library_close(library);
    return status;
}

void invent_library_close(struct invent_library *library)
{
    if (library == NULL)
        return;
    for (size_t i = 0; i < LISTS; i++) {
        free(library->words[i]);
        buffer_free(&library->texts[i]);
    }
    free(library);
}
