/* Words: a data file of texts, YAML of two levels, "section: {key: text}", such as the phrases for
 * categories of data in one language. Immutable once loaded; owned by the caller. */
#ifndef COFFERDAM_POLICY_WORDS_H
#define COFFERDAM_POLICY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

struct words;

/* Errors name file, line and column. */
MUST_USE enum status words_load(const char *path, struct words **words, struct error *error);
void words_free(struct words *words); /* NULL is fine */
/* The text, borrowed; NULL where there is none. */
const char *words_get(const struct words *words, const char *section, const char *key);
/* In the file's order: the key of the at-th entry of a section; NULL behind the last. */
const char *words_key(const struct words *words, const char *section, size_t at);
/* Appends the day of an instant as this language writes it: sections dates (zone, form, first) and
 * months. STATUS_INVALID where they do not say how. */
MUST_USE enum status words_date(const struct words *words, int64_t time_ns, struct buffer *out,
                                struct error *error);
/* Appends a text with its {names} filled in: names and values are NULL-terminated, in step. What is
 * in braces and no such name stays as it is. */
void words_fill(struct buffer *out, const char *text, const char *const *names,
                const char *const *values);
/* SHA-256 of the file's bytes, lower-case hex: the version of what was said. */
const char *words_version(const struct words *words);

#endif
