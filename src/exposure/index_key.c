/* See index_key.h. The calendar is Howard Hinnant's days_from_civil and civil_from_days. */
#include "exposure/index_key.h"

#include <string.h>

static const int64_t HOUR_NS = 3600LL * 1000000000;

static int compare_names(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a, b);
}

int index_key_compare(const struct index_key *a, const struct index_key *b)
{
    int order = compare_names(a->partner, b->partner);
    if (order != 0)
        return order;
    if (a->column_set != b->column_set)
        return a->column_set < b->column_set ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->grade != b->grade)
        return a->grade < b->grade ? -1 : 1;
    order = compare_names(a->agent, b->agent);
    return order != 0 ? order : compare_names(a->purpose, b->purpose);
}

/* ---- names ---- */

void name_pool_init(struct name_pool *pool)
{
    *pool = (struct name_pool){0};
    pthread_rwlock_init(&pool->lock, NULL);
}

void name_pool_free(struct name_pool *pool)
{
    name_map_free(&pool->map); /* each value is the name itself */
    pthread_rwlock_destroy(&pool->lock);
}

const char *name_pool_get(struct name_pool *pool, struct slice name)
{
    pthread_rwlock_rdlock(&pool->lock);
    size_t at;
    const char *found = name_map_find(&pool->map, name, &at) ? pool->map.entries[at].name : NULL;
    pthread_rwlock_unlock(&pool->lock);
    if (found != NULL)
        return found;
    pthread_rwlock_wrlock(&pool->lock);
    found = name_map_find(&pool->map, name, &at) ? pool->map.entries[at].name
                                                 : name_map_put(&pool->map, name, NULL);
    pthread_rwlock_unlock(&pool->lock);
    return found;
}

/* ---- calendar ---- */

static int32_t floor_div(int32_t a, int32_t b)
{
    return a / b - (a % b < 0);
}

int64_t index_hour_of(int64_t time_ns)
{
    return time_ns / HOUR_NS - (time_ns % HOUR_NS < 0);
}

int32_t index_day_of(int32_t hour)
{
    return floor_div(hour, 24);
}

int32_t index_month_of_day(int32_t day)
{
    int32_t z = day + 719468;
    int32_t era = floor_div(z, 146097);
    int32_t of_era = z - era * 146097;
    int32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int32_t from_march = (5 * of_year + 2) / 153;
    int32_t month = from_march < 10 ? from_march + 2 : from_march - 10; /* 0 January */
    return (year + era * 400 + (month <= 1)) * 12 + month;
}

int32_t index_first_day(int32_t month)
{
    int32_t year = floor_div(month, 12), of_year = month - year * 12;
    int32_t shifted = year - (of_year <= 1);
    int32_t era = floor_div(shifted, 400), year_of_era = shifted - era * 400;
    int32_t from_march = of_year > 1 ? of_year - 2 : of_year + 10;
    int32_t day = (153 * from_march + 2) / 5;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day - 719468;
}
