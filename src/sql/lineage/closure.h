/* Key closure: which fences' rows are of the same person, by what the statement equates and by the
 * keys of the database. A term is a value on a row of FROM: a stored column of a fence's row, or
 * what a unique column's value leads to in another table. Equalities put terms into classes, and
 * closing these under the keys is all there is to it (congruence closure):
 *   the same value leads to the same row;
 *   rows of one table that agree in a unique key, none of it NULL, are one row;
 *   the row that a column of a foreign key leads to has what the key's other columns say.
 * Two keys in one class are one person wherever both rows are there.
 * Invariant: what is not proved is as if it were different. Masked columns, views' uniqueness,
 * deferrable, partial and nullable keys prove nothing. Statements that change data prove nothing
 * either: their rows and keys are not those of one snapshot. */
#ifndef COFFERDAM_SQL_CLOSURE_H
#define COFFERDAM_SQL_CLOSURE_H

#include "sql/plan/plan_build.h"

/* The row, seen from a level, that the relation shows of one below: the same for every column and
 * key of it, and unlike that of any other reading. below: what it is there; 0: a fence's own. */
size_t closure_row(struct build *build, const struct relation *relation, size_t below);

/* Where two keys of the level's FROM are one person on every row, the one that costs less is
 * carried, and tells of the columns of both. Once FROM and WHERE stand. */
void closure_reduce(struct level *level);

/* Is everybody in the sub-select's input, for each row around it, the person of that row? Then
 * deleting anybody changes nothing but rows that go with them. */
bool closure_same_people(const struct resolver *resolver, const SubLink *node,
                         const struct level *inner, const struct expression *test);

/* Fences of `side` whose person, where they have a row, is that of a row of `kept` as well. */
uint64_t closure_follows(const struct level *level, const struct names *side,
                         const struct names *kept);

/* Is everybody in a group, by this key of its members, one person? *column: the group's expression
 * that is the key itself, or NULL. */
bool closure_determines(const struct level *level, const struct carried_key *key, Node **column);
/* A key that may be missing from rows of a group, and is that of the one person of the group where
 * it is there, adds nobody to the group's set: it is not carried, and the person's tells of its
 * columns too. So it is whatever an outer join finds of the person that it is grouped by. */
void closure_reduce_groups(struct level *level);
/* Is each group of one person whose key is on all of its rows, and this key theirs where it is? */
bool closure_belongs(const struct level *level, const struct carried_key *key);

#endif
