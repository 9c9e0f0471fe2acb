/* Reading ease: words, sentences and syllables of a text, and what two published formulas make of
 * them. Counting syllables by rule is rough; it is the same for every text. No state. */
#ifndef COFFERDAM_INCIDENT_READING_EASE_H
#define COFFERDAM_INCIDENT_READING_EASE_H

#include <stddef.h>

struct reading_counts {
    size_t words, sentences, syllables;
    size_t longest;         /* words of the longest sentence */
    const char *longest_at; /* where it begins, in the text counted last */
    size_t longest_bytes;
};

/* Adds the counts of one text: the end of the text ends a sentence. A word with a digit, an @ or a
 * dot inside (a date, a number, an address) counts as one word of one syllable. */
void reading_count(const char *text, struct reading_counts *counts);

/* Flesch-Kincaid grade level: Kincaid, Fishburne, Rogers, Chissom, "Derivation of new readability
 * formulas", Research Branch Report 8-75, 1975. */
double reading_flesch_kincaid(const struct reading_counts *counts);
/* Flesch's reading ease for French: Kandel and Moles, "Application de l'indice de Flesch à la
 * langue française", Cahiers d'études de radio-télévision 19, 1958. */
double reading_kandel_moles(const struct reading_counts *counts);

#endif
