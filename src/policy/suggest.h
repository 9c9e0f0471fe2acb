/* "Did you mean": the nearest of some words. No state. */
#ifndef COFFERDAM_POLICY_SUGGEST_H
#define COFFERDAM_POLICY_SUGGEST_H

#include <stddef.h>

/* The word of the NULL-terminated words with the fewest edits to word, if few enough to be a
 * slip of the hand; otherwise NULL. */
const char *suggest_nearest(const char *word, const char *const *words);
/* "a, b, c" into text, cut with "…" where it does not fit. */
void suggest_list(const char *const *words, char *text, size_t size);

#endif
