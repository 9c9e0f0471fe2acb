/* Edit distance over short words, for hints. No state. */
#include "policy/suggest.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements, swaps of neighbours. Words
 * longer than LONGEST_WORD count as far away. */
static size_t edits(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > LONGEST_WORD || b_len > LONGEST_WORD)
        return LONGEST_WORD;
    size_t rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above_two = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above_two[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *suggest_nearest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    if (strlen(word) > LONGEST_WORD)
        return NULL;
    size_t fewest = 1 + strlen(word) / 3;
    for (; *words != NULL; words++) {
        size_t distance = edits(word, *words);
        if (word[0] != '\0' && strncmp(word, *words, strlen(word)) == 0)
            distance = 1; /* a beginning of it counts as a slip too */
        if (distance < fewest || (distance == fewest && nearest == NULL)) {
            fewest = distance;
            nearest = *words;
        }
    }
    return nearest;
}

void suggest_list(const char *const *words, char *text, size_t size)
{
    static const char cut[] = ", …";
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t need = strlen(words[i]) + 2;
        if (len + need + sizeof cut > size) {
            snprintf(text + len, size - len, "%s", cut);
            return;
        }
        len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
}
