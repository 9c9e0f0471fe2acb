/* "Did you mean": optimal string alignment distance (Damerau, without moving a swapped pair). */
#include "cli/cli.h"

#include <string.h>

enum { LONGEST_WORD = 31 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t cost[LONGEST_WORD + 1][LONGEST_WORD + 1];
    for (size_t i = 0; i <= a_len; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= b_len; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            size_t differs = a[i - 1] != b[j - 1];
            cost[i][j] =
                least(least(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a_len][b_len];
}

const char *cli_nearest(const char *word, const char *const *words, size_t count)
{
    size_t word_len = strlen(word);
    if (word_len > LONGEST_WORD)
        return NULL;
    const char *nearest = NULL;
    size_t best = word_len < 4 ? 2 : 3; /* at most one slip in a short word, two in a longer */
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(words[i]);
        if (len > LONGEST_WORD)
            continue;
        size_t found = distance(word, word_len, words[i], len);
        if (found < best) {
            best = found;
            nearest = words[i];
        }
    }
    return nearest;
}
