/* Counting words, sentences and syllables. */
#include "incident/reading_ease.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The letter at text, lower case and without its accent but for é, which ends no mute syllable and
 * is given as 'E'; 0 for what is no letter. Latin-1 and œ suffice for the two languages. */
static char letter_at(const char *text, size_t *len)
{
    /* U+00C0 to U+00FF */
    static const char latin[] =
        "aaaaaaaceEeeiiii\0nooooo\0ouuuuy\0saaaaaaaceEeeiiii\0nooooo\0ouuuuy"
        "\0y";
    uint8_t byte = (uint8_t)text[0], next = byte < 0x80 ? 0 : (uint8_t)text[1];
    *len = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte + 'a' - 'A');
    if (byte >= 'a' && byte <= 'z')
        return (char)byte;
    if (byte == 0xC3 && next >= 0x80)
        return latin[next - 0x80];
    if (byte == 0xC5 && (next == 0x92 || next == 0x93))
        return 'o';
    return 0;
}

static bool is_vowel(char letter)
{
    return letter != 0 && strchr("aeiouyE", letter) != NULL;
}

/* Groups of vowels; a final mute e (es, ed) is none, unless it is all there is or follows an l
 * behind a consonant (ta-ble). */
static size_t syllables_of(const char *word, size_t len)
{
    char letters[64];
    size_t count = 0;
    for (size_t i = 0, step; i < len && count < sizeof letters; i += step) {
        char letter = letter_at(word + i, &step);
        if (letter != 0)
            letters[count++] = letter;
    }
    size_t groups = 0;
    for (size_t i = 0; i < count; i++)
        groups += is_vowel(letters[i]) && (i == 0 || !is_vowel(letters[i - 1]));
    size_t end = count;
    if (end > 2 && (letters[end - 1] == 's' || letters[end - 1] == 'd') && letters[end - 2] == 'e')
        end--;
    bool mute = end > 1 && letters[end - 1] == 'e' && !is_vowel(letters[end - 2]);
    bool syllabic = end > 2 && letters[end - 2] == 'l' && !is_vowel(letters[end - 3]);
    if (mute && !syllabic && groups > 1)
        groups--;
    return groups == 0 ? 1 : groups;
}

/* A word such as a date, a telephone number or an address. */
static bool is_figure(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((word[i] >= '0' && word[i] <= '9') || word[i] == '@' ||
            (word[i] == '.' && i + 1 < len && word[i + 1] != '.'))
            return true;
    return false;
}

static bool has_letter(const char *word, size_t len)
{
    for (size_t i = 0, step; i < len; i += step)
        if (letter_at(word + i, &step) != 0 ||
            ((uint8_t)word[i] >= 0xC4 &&
             (uint8_t)word[i] != 0xE2)) /* not U+2000…: dashes, quotation marks */
            return true;
    return false;
}

/* Does the sentence end with this word? Closing quotation marks and brackets may follow the stop.
 */
static bool ends_sentence(const char *word, size_t len)
{
    static const char *const behind[] = {"”", "»", "\"", ")", "’", "\xC2\xA0"};
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        size_t tail = strlen(behind[i]);
        if (len > tail && memcmp(word + len - tail, behind[i], tail) == 0) {
            len -= tail;
            i = (size_t)-1;
        }
    }
    return len > 0 && strchr(".!?", word[len - 1]) != NULL;
}

static void end_sentence(struct reading_counts *counts, const char *start, const char *end,
                         size_t words)
{
    if (words == 0)
        return;
    counts->sentences++;
    if (words > counts->longest) {
        counts->longest = words;
        counts->longest_at = start;
        counts->longest_bytes = (size_t)(end - start);
    }
}

void reading_count(const char *text, struct reading_counts *counts)
{
    const char *start = text;
    size_t words = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        bool figure = is_figure(text, len);
        if (figure || has_letter(text, len)) {
            words++;
            counts->words++;
            counts->syllables += figure ? 1 : syllables_of(text, len);
        }
        bool end = ends_sentence(text, len);
        text += len;
        if (end)
            end_sentence(counts, start, text, words);
        text += *text == ' ';
        if (end) {
            start = text;
            words = 0;
        }
    }
    end_sentence(counts, start, text, words);
}

double reading_flesch_kincaid(const struct reading_counts *counts)
{
    if (counts->words == 0)
        return 0;
    return 0.39 * (double)counts->words / (double)counts->sentences +
           11.8 * (double)counts->syllables / (double)counts->words - 15.59;
}

double reading_kandel_moles(const struct reading_counts *counts)
{
    if (counts->words == 0)
        return 100;
    return 207 - 1.015 * (double)counts->words / (double)counts->sentences -
           73.6 * (double)counts->syllables / (double)counts->words;
}
