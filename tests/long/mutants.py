"""Is the removal oracle sharp? Every rule that records people whom no row carries (docs/decisions/0010) is
switched off, one at a time, in a copy of the source; the oracle must then find somebody missed, or statements that
the database does not take.

    tests/run mutants [--cases N] [--minutes M] [--seed S] [--jobs J] [--only EXPRESSION] [--folder FOLDER]

--cases: of the oracle for each mutant, at most: it ends with the first miss. A mutant that survives is a rule that
is redundant or that the oracle is blind to. Those that it cannot see say why, and are not run without --only.
A mutant is stale whose text is not in the source any more: mend the list.
    RESULT mutants=… caught=… survived=… stale=… seed=…
"""
import dataclasses
import multiprocessing.pool
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from harness import longrun, places


@dataclasses.dataclass
class Mutant:
    name: str
    file: str    # in a folder of src/sql
    old: str     # once in it
    new: str
    why: str = None  # the oracle cannot see it, since …

    def path(self, source):
        return next((source / "src/sql").rglob(self.file))


EDGE = "it seldom writes a statement that needs the rule: tests/integration/test_lineage_edges.py has one"
ONE_ANSWER = "every statement of the oracle has one answer, whichever of the rows alike are picked"

MUTANTS = [
    # Groups.
    Mutant("groups: growth below", "lineage.c", "if (level->aggregated)\n        settle_growth(", "if (level->aggregated && level->build == NULL)\n        settle_growth("),
    Mutant("groups: changes below, unstable groups", "lineage.c", "level, !stable,", "level, false,"),
    Mutant("groups: unstable, without aggregates", "lineage.c", "level->grows |= level->changes;\n    if (!level->aggregated)", "{}\n    if (!level->aggregated)"),
    Mutant("groups: members change them", "lineage.c", "level->changes |= lineage_fences(&level->body[k], 1);", "{}"),
    Mutant("groups: HAVING", "lineage.c", "if (level->having_unstable || level->rows_unstable)", "if (level->rows_unstable)"),
    Mutant("groups: all stable", "lineage.c", "if (level->groups[i].unstable)", "if (false)"),
    Mutant("groups: sub-selects above", "lineage.c", "level->changes |= lineage_fences(level->above_groups, level->above_groups_count);", ""),
    Mutant("groups: one person", "lineage.c", "if (level->aggregated && !one && ", "if (level->aggregated && one && "),
    Mutant("groups: unstable aggregates", "resolve_aggregate.c", "result.unstable = true;", ""),
    Mutant("groups: unstable columns", "plan_target.c", "group->unstable = value.unstable;", ""),
    Mutant("windows", "lineage.c", "return settle_level(level, level->shows_others", "return level != NULL ? STATUS_OK : settle_level(level, level->shows_others"),
    Mutant("columns of other readings", "lineage.c", "build->fences[f]->grant == grant && build->fences[f]->read[column]",
           "build->fences[f]->grant == grant && f == 0 && build->fences[f]->read[column]"),
    # Settling.
    Mutant("settle: changes too", "lineage_settle.c", "(changes_too ? level->changes : 0)", "0 * (uint64_t)changes_too"),
    Mutant("settle: growth", "lineage_settle.c", "settle_fences(level->build, fences, PLAN_GRADE_INFLUENCE, why);", "(void)why;"),
    Mutant("monotone: levels around FROM", "lineage_settle.c", "return level->from_outer_reads == 0 && !level->local", "return !level->local"),
    Mutant("monotone: local", "lineage_settle.c", "from_outer_reads == 0 && !level->local && !level->from_picks &&\n           level->body", "from_outer_reads == 0 && !level->from_picks &&\n           level->body"),
    Mutant("monotone: picks", "lineage_settle.c", "&& !level->local && !level->from_picks &&\n           level->body_changes", "&& !level->local &&\n           level->body_changes", ONE_ANSWER),
    Mutant("monotone: changes", "lineage_settle.c", "level->body_changes == 0 && level->body_grows == 0;", "level->body_grows == 0;"),
    Mutant("monotone: growth", "lineage_settle.c", "level->body_changes == 0 && level->body_grows == 0;", "level->body_changes == 0;"),
    Mutant("monotone: conditions on levels around", "lineage_settle.c", "if (level->outer_reads == 0)\n        return level->where;", "return level->where;"),
    Mutant("whole: not proved", "lineage_settle.c", "return level->relation_count == 1 && level->relations[0]->whole &&", "return level->relation_count == 1 &&"),
    Mutant("whole: several relations", "lineage_settle.c", "return level->relation_count == 1 && level->relations[0]->whole", "return level->relation_count > 0 && level->relations[0]->whole"),
    Mutant("whole: keys of sub-selects beside", "lineage_settle.c", "level->body_count == level->relations[0]->key_count &&", ""),
    Mutant("whole: sub-selects beside", "lineage_settle.c", "are_columns(level) &&\n           level->body_count == level->relations[0]->key_count &&\n           level->fences == level->relations[0]->fences;", "are_columns(level);"),
    Mutant("whole: picks", "lineage_settle.c", "!level->having && !level->windows && !level->picks;", "!level->having && !level->windows;", ONE_ANSWER),
    Mutant("whole: HAVING", "lineage_settle.c", "level->above_groups_count == 0 && !level->having &&", "level->above_groups_count == 0 &&"),
    Mutant("whole: windows", "lineage_settle.c", "!level->having && !level->windows &&", "!level->having &&"),
    Mutant("whole: sub-selects above groups", "lineage_settle.c", "level->outer_reads == 0 &&\n           level->above_groups_count == 0 &&", "level->outer_reads == 0 &&"),
    Mutant("settle: sub-selects above groups", "lineage_settle.c", "k < level->above_groups_count; k++)\n        settle_fences", "k < 0 * level->above_groups_count; k++)\n        settle_fences"),
    Mutant("conditions: steady", "lineage_settle.c", "return level->from_steady && inner->outer_reads", "return inner->outer_reads"),
    Mutant("conditions: levels further out", "lineage_settle.c", " && !(inner->outer_reads & ~own)", " && (own | 1)"),
    Mutant("conditions: monotone inside", "lineage_settle.c", "settle_tells(inner) && are_columns(inner) && inner->above_groups_count == 0 &&", "are_columns(inner) &&", EDGE),
    Mutant("conditions: strangers", "lineage_settle.c", "!names_stranger(inner->where, &strangers)", "(strangers.known | 1)"),
    Mutant("conditions: sub-selects beside", "lineage_settle.c", " &&\n            !reads_people(conjunct->guarded, level->build->constants))", " && reads_people != NULL)"),
    # LIMIT, OFFSET, DISTINCT ON.
    Mutant("LIMIT: lets in", "plan_limit.c", "level->changes |= level->fences;", ""),
    Mutant("LIMIT: unstable columns", "plan_limit.c", "level->targets[i].value.unstable = true;", "{}"),
    Mutant("LIMIT: picks", "plan_limit.c", "level->picks = true;\n    level->changes |= level->fences;", "level->changes |= level->fences;", ONE_ANSWER),
    Mutant("LIMIT: input", "plan_limit.c", "settle_growth(level, !sorted, before_limit);", ""),
    Mutant("LIMIT: changes below, not sorted", "plan_limit.c", "settle_growth(level, !sorted,", "settle_growth(level, false,"),
    Mutant("LIMIT: unstable order", "plan_limit.c", "select->sortClause != NIL && !level->order_unstable;", "select->sortClause != NIL;"),
    Mutant("LIMIT: unstable outputs in ORDER BY", "plan_target.c", "level->order_unstable = level->order_unstable || level->targets[ordinal - 1].value.unstable;", ""),
    Mutant("LIMIT: unstable expressions in ORDER BY", "plan_target.c", "level->order_unstable = level->order_unstable || value.unstable;", ""),
    Mutant("LIMIT: groups", "plan_limit.c", "(are_groups(level) && !sorted);", "(are_groups(level) && false);"),
    Mutant("LIMIT: groups from below", "plan_limit.c", "bool groups = level->aggregated;\n    for (size_t k = 0; k < level->body_count; k++)", "bool groups = level->aggregated;\n    for (size_t k = 0; k < 0 * level->body_count; k++)"),
    Mutant("LIMIT: growth, by the gateway", "plan_limit.c", "settle_growth(level, false, before_limit);", ""),
    Mutant("OFFSET inside", "plan_limit.c", "(skips && !level->top) ||", ""),
    Mutant("LIMIT and OFFSET: whole input", "plan_limit.c", "TRY(settle_level(level, PLAN_GRADE_INFLUENCE,", "if (level == NULL)\n        TRY(settle_level(level, PLAN_GRADE_INFLUENCE,"),
    Mutant("DISTINCT ON: input", "plan_limit.c", "settle_growth(level, true,", "if (level == NULL)\n        settle_growth(level, true,"),
    Mutant("DISTINCT ON: changes below", "plan_limit.c", "settle_growth(level, true,", "settle_growth(level, false,"),
    Mutant("DISTINCT ON: lets in", "plan_limit.c", "let_in(level);\n    }", "}"),
    # FROM and WHERE.
    Mutant("FROM: columns of what picks", "resolve_from.c", "target->value.unstable || (inner->picks && inner->changes != 0);", "target->value.unstable;"),
    Mutant("FROM: columns", "resolve_from.c", "column->unstable = target->value.unstable || (inner->picks && inner->changes != 0);", ""),
    Mutant("WHERE: unstable", "resolve_from.c", "if (expression.unstable)\n        level->grows |= level->changes;", ""),
    Mutant("ON: unstable", "resolve_from.c", "left->grows |= left->changes | right->changes;", "{}"),
    Mutant("outer joins: the other side's growth", "resolve_from.c", "uint64_t fences = side->grows | (unstable ? side->changes : 0);", "uint64_t fences = unstable ? side->changes : 0;"),
    Mutant("outer joins: the other side's changes", "resolve_from.c", "uint64_t fences = side->grows | (unstable ? side->changes : 0);", "uint64_t fences = side->grows | (0 * (uint64_t)unstable);"),
    Mutant("outer joins: left out", "resolve_from.c", "side->changes |= changes;", ""),
    Mutant("outer joins: unstable columns", "resolve_from.c", "column->unstable = column->unstable || changes != 0 || moves;", "{}", EDGE),
    Mutant("outer joins: rows that move", "resolve_from.c", "|| changes != 0 || moves;", "|| changes != 0;", EDGE),
    Mutant("outer joins: the same person", "closure.c", "return level->build->proves ? (good & ~bad) | about_nobody(level->build) : 0;", "return good | bad | about_nobody(level->build);"),
    Mutant("outer joins: growth of the same person", "closure.c", "bool proved = relation->changes == 0 && relation->grows == 0 &&", "bool proved ="),
    Mutant("outer joins: nobody carried", "closure.c", "bad |= relation->fences & ~known; /* of these nothing is carried */", ""),
    Mutant("LATERAL: unstable around", "resolve_from.c", "level->outer_unstable = level->outer_unstable || relation->outer_unstable;", ""),
    Mutant("levels around: unstable", "resolve_column.c", "inner->level->outer_unstable = inner->level->outer_unstable || out->unstable;", ""),
    Mutant("functions in FROM: unstable", "resolve_range_function.c", "relation->grows = left->changes;", "{}"),
    Mutant("functions in FROM: columns", "resolve_range_function.c", ".unstable = reading->unstable", ".unstable = false"),
    # Set operations.
    Mutant("EXCEPT: right side", "plan_setop.c", "settle_fences(build, right.level->fences,", "settle_fences(build, 0 * right.level->fences,"),
    Mutant("set operations: unstable columns", "plan_setop.c", "column.unstable = l->value.unstable || r->value.unstable || left->level->changes != 0 ||\n                      right->level->changes != 0;", ""),
    Mutant("set operations: changed rows", "plan_setop.c", "r->value.unstable || left->level->changes != 0 ||\n                      right->level->changes != 0;", "r->value.unstable;"),
    Mutant("set operations: changes", "plan_setop.c", "combined->changes = l->changes | r->changes;", ""),
    Mutant("set operations: growth", "plan_setop.c", "combined->grows = l->grows | r->grows;", ""),
    Mutant("set operations: picks", "plan_setop.c", "combined->picks = l->picks || r->picks;", "", ONE_ANSWER),
    # Sub-selects in expressions.
    Mutant("witnesses: picks", "resolve_sublink.c", "if (inner->from_picks || inner->local || inner->above_groups_count > 0) {", "if (inner->local || inner->above_groups_count > 0) {", ONE_ANSWER),
    Mutant("witnesses: sub-selects above groups", "resolve_sublink.c", "inner->local || inner->above_groups_count > 0) {", "inner->local) {"),
    Mutant("witnesses: growth and changes", "resolve_sublink.c", "level->grows |= inner->grows | inner->changes;", ""),
    Mutant("witnesses: growth", "resolve_sublink.c", "level->grows |= inner->grows | inner->changes;", "level->grows |= inner->changes;"),
    Mutant("witnesses: changes", "resolve_sublink.c", "level->grows |= inner->grows | inner->changes;", "level->grows |= inner->grows;"),
    Mutant("witnesses: carried", "resolve_sublink.c", "return carry_members(resolver, inner, witness_condition(", "return level != NULL ? STATUS_OK : carry_members(resolver, inner, witness_condition("),
    Mutant("values: uncorrelated", "resolve_sublink.c", "return grade == PLAN_GRADE_AGGREGATE ? settle_statistic(", "return level != NULL ? STATUS_OK : grade == PLAN_GRADE_AGGREGATE ? settle_statistic("),
    Mutant("values: sub-selects above groups", "resolve_sublink.c", "inner->local || inner->above_groups_count > 0 ||\n        inner->body_changes", "inner->local ||\n        inner->body_changes"),
    Mutant("values: picks", "resolve_sublink.c", "if (inner->from_picks || inner->local || inner->above_groups_count > 0 ||\n        inner->body", "if (inner->local || inner->above_groups_count > 0 ||\n        inner->body", ONE_ANSWER),
    Mutant("values: growth", "resolve_sublink.c", "inner->body_changes != 0 || inner->body_grows != 0) {", "inner->body_changes != 0) {"),
    Mutant("values: changes", "resolve_sublink.c", "inner->body_changes != 0 || inner->body_grows != 0) {", "inner->body_grows != 0) {"),
    Mutant("values: unstable", "resolve_sublink.c", "result->unstable = true;\n", "(void)result;\n"),
    Mutant("values: members change them", "resolve_sublink.c", "level->changes |= inner->fences;", "{}"),
    Mutant("values: members", "resolve_sublink.c", "return carry_members(resolver, inner, NULL,", "return level != NULL ? STATUS_OK : carry_members(resolver, inner, NULL,"),
    Mutant("conditions: WHERE", "resolve_sublink.c", "return settle_condition(", "return level != NULL ? STATUS_OK : settle_condition("),
    Mutant("conditions: elsewhere", "resolve_sublink.c", "return settle_level(inner, grade, of_condition);", "return level != NULL ? STATUS_OK : settle_level(inner, grade, of_condition);"),
    Mutant("conditions: met by absence", "resolve_sublink.c", "settle_fences(level->build, inner->fences, PLAN_GRADE_WITNESS, by_absence);", "(void)by_absence;"),
    Mutant("conditions: figures", "lineage_figure.c", "*status == STATUS_OK && k < inner->key_count; k++)", "*status == STATUS_OK && k < 0 * inner->key_count; k++)"),
    Mutant("conditions: unstable around", "resolve_sublink.c", "result->unstable = result->unstable || inner->outer_unstable;", ""),
    Mutant("same person: picks", "closure.c", "inner->above_groups_count > 0 ||\n        inner->from_picks || (inner", "inner->above_groups_count > 0 ||\n        (inner", ONE_ANSWER),
    Mutant("same person: sub-selects above groups", "closure.c", "inner->above_groups_count > 0 ||\n        inner->from_picks || (inner", "inner->from_picks ||\n        (inner"),
    Mutant("same person: changes and growth", "closure.c", " || (inner->body_changes | inner->body_grows) != 0)\n        return false;", ")\n        return false;"),
    Mutant("unstable is passed on", "resolve_expression.c", "into->unstable = into->unstable || part->unstable;", ""),
    # WITH RECURSIVE.
    Mutant("recursive: first arm", "plan_recursive.c", "settle_growth(arms.first, true,", "if (arms.first == NULL)\n        settle_growth(arms.first, true,"),
    Mutant("recursive: first arm's changes", "plan_recursive.c", "settle_growth(arms.first, true,", "settle_growth(arms.first, false,"),
    Mutant("recursive: second arm", "plan_recursive.c", "settle_growth(arms->step, true,", "if (arms->step == NULL)\n        settle_growth(arms->step, true,"),
    Mutant("recursive: second arm's changes", "plan_recursive.c", "settle_growth(arms->step, true,", "settle_growth(arms->step, false,"),
]


class Copy:
    """The source, built without and with mutants."""

    def __init__(self, folder):
        self.source, self.build = folder / "source", folder / "build"
        if not self.source.exists():
            listed = subprocess.run(["git", "-C", places.ROOT, "ls-files", "-z"], check=True, capture_output=True).stdout.decode()
            for name in filter(None, listed.split("\0")):
                (self.source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(places.ROOT / name, self.source / name)
        if not self.build.exists():
            self.run("meson", "setup", "-Dwerror=false", self.build, self.source)
        self.ninja()

    @staticmethod
    def run(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} failed:\n{done.stdout[-3000:]}")

    def ninja(self):
        self.run("ninja", "-C", self.build, "-j2", "src/cli/cofferdam")

    def make(self, mutant):
        """A program of its own with this mutant in it."""
        path = mutant.path(self.source)
        text, program = path.read_text(), self.build / f"mutant-{mutant.name.replace(' ', '-').replace('/', '-')}"
        try:
            path.write_text(text.replace(mutant.old, mutant.new))
            self.ninja()
            shutil.copy2(self.build / "src/cli/cofferdam", program)
        finally:
            path.write_text(text)
        return program


def judge(mutant, program, options):
    """Whether the oracle misses somebody with this program."""
    environment = dict(os.environ, COFFERDAM_BIN=str(program), PYTHONPATH=str(places.ROOT / "tests"))
    minutes = max(0.1, (options.deadline - time.monotonic()) / 60)
    done = subprocess.run([sys.executable, places.ROOT / "tests/long/oracle.py", "--first", "--cases", str(options.cases), "--seed", str(options.seed),
                           "--minutes", f"{minutes:.2f}", "--world", "1000", "--turned", "0.75"], capture_output=True, text=True, env=environment)
    program.unlink()
    lines = done.stdout.strip().splitlines()
    if not lines or not lines[-1].startswith("RESULT "):
        print(f"caught {mutant.name}: the oracle cannot run: {(done.stdout + done.stderr)[-300:]}", flush=True)
        return True
    result = dict(pair.split("=", 1) for pair in lines[-1].split()[1:])
    caught = any(result[count] != "0" for count in ("missed", "columns_missed", "different")) or int(result["failed"]) > 2
    what = next((" ".join(lines[i:i + 2]) for i, line in enumerate(lines) if line.startswith(("MISSED", "COLUMN", "DIFFERENT"))), "")
    print(f"{'caught' if caught else 'SURVIVED'} {mutant.name}: after {result['cases']} cases  {what[:300]}", flush=True)
    return caught


def is_stale(mutant, source):
    return mutant.path(source).read_text().count(mutant.old) != 1


def more_options(parser):
    parser.add_argument("--jobs", type=int, default=1, help="oracles at the same time")
    parser.add_argument("--only", help="a regular expression: mutants whose names it fits, also those that are known to change nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="keep the copy there, and use what is there")


def main():
    options = longrun.options(__doc__, 5000, more_options)
    wanted = [m for m in MUTANTS if (re.search(options.only, m.name) if options.only else not m.why)]
    folder = options.folder or places.make_folder("mutants")
    try:
        copy = Copy(folder)
        stale = [m for m in wanted if is_stale(m, copy.source)]
        for mutant in stale:
            print(f"STALE {mutant.name}: its text is not once in {mutant.file}", flush=True)
        with multiprocessing.pool.ThreadPool(options.jobs) as pool:
            running = []
            for mutant in wanted:
                if mutant in stale:
                    continue
                while len([r for r in running if not r.ready()]) > options.jobs:
                    time.sleep(0.1)
                running.append(pool.apply_async(judge, (mutant, copy.make(mutant), options)))
            caught = sum(result.get() for result in running)
    finally:
        if not options.folder:
            places.remove_folder(folder)
    print(f"RESULT mutants={len(wanted)} caught={caught} survived={len(running) - caught} stale={len(stale)} seed={options.seed}")
    return 1 if caught < len(running) or stale else 0


if __name__ == "__main__":
    sys.exit(main())
