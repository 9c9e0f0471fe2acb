/* The functions that fill the tables of a scope. Private to scope_tables*.c. Each fills an unopened
 * table, which is left unopened on failure. */
#ifndef COFFERDAM_INCIDENT_SCOPE_TABLES_H
#define COFFERDAM_INCIDENT_SCOPE_TABLES_H

#include "incident/scope_private.h"

enum { SCOPE_TABLE_BYTES = 256 * 1024 * 1024 };
enum scope_trait { SCOPE_TRAIT_BRAND, SCOPE_TRAIT_LANGUAGE, SCOPE_TRAIT_COUNTRY };

bool scope_class_has_dataset(const struct scope *scope, const struct scope_class *class,
                             const char *dataset);

/* ---- scope_tables.c ---- */
enum status scope_table_kind(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_tier(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_grade(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_trait(const struct scope *scope, enum scope_trait trait,
                              struct table *table, struct error *error);
enum status scope_table_dataset(const struct scope *scope, struct table *table,
                                struct error *error);
enum status scope_table_never(const struct scope *scope, struct table *table, struct error *error);
/* ---- scope_tables_category.c ---- */
enum status scope_table_category(const struct scope *scope, struct table *table,
                                 struct error *error);
enum status scope_table_combination(const struct scope *scope, struct table *table,
                                    struct error *error);
/* ---- scope_tables_time.c ---- */
enum status scope_table_day(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_window(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_net(const struct scope *scope, struct table *table, struct error *error);
enum status scope_table_deletion(const struct scope *scope, struct table *table,
                                 struct error *error);
/* ---- scope_changes.c ---- */
enum status scope_table_change(const struct scope *scope, struct table *table, struct error *error);
/* ---- scope_tables_time.c ---- */
enum status scope_table_partners(const struct scope *scope, struct table *table,
                                 struct error *error);

#endif
