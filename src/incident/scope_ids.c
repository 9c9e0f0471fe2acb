/* Pages of bits. */
#include "incident/scope_ids.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BITS = 65536, WORD_BITS = 64, PAGE_WORDS = PAGE_BITS / WORD_BITS };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a set of people");
}

static enum status make_page(struct scope_ids *set, size_t page, struct error *error)
{
    if (page >= set->page_count) {
        uint64_t **pages = realloc(set->pages, (page + 1) * sizeof *pages);
        if (pages == NULL)
            return out_of_memory(error);
        memset(pages + set->page_count, 0, (page + 1 - set->page_count) * sizeof *pages);
        set->pages = pages;
        set->page_count = page + 1;
    }
    if (set->pages[page] == NULL)
        set->pages[page] = calloc(PAGE_WORDS, sizeof *set->pages[page]);
    return set->pages[page] == NULL ? out_of_memory(error) : STATUS_OK;
}

enum status scope_ids_add(struct scope_ids *set, uint32_t id, bool *added, struct error *error)
{
    size_t page = id / PAGE_BITS;
    if (page >= set->page_count || set->pages[page] == NULL)
        TRY(make_page(set, page, error));
    uint64_t *word = &set->pages[page][id % PAGE_BITS / WORD_BITS];
    uint64_t bit = UINT64_C(1) << id % WORD_BITS;
    *added = (*word & bit) == 0;
    *word |= bit;
    set->count += *added;
    return STATUS_OK;
}

void scope_ids_free(struct scope_ids *set)
{
    for (size_t i = 0; i < set->page_count; i++)
        free(set->pages[i]);
    free(set->pages);
    *set = (struct scope_ids){0};
}
