/* How fast a statement becomes a plan: parse, resolve, guard, fence, lineage, emit, parse again,
 * compare. No database: the catalogue of bench/tpch/load.sql stands here, the policy is a file.
 * Usage: rewrite_bench POLICY SECONDS FILE…, a statement a file; bench/run rewrite calls it.
 * One line a file: "NAME ok MEDIAN P99 COUNT" in microseconds, or "NAME refused SQLSTATE MESSAGE".
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "sql/plan.h"

enum { TEXT_BYTES = 16384, SAMPLES = 400000, WARM = 50, STACK_BYTES = 128 * 1024 * 1024 };

#define COLUMN(name_, oid_, type_, category_, unique_)                                             \
    {                                                                                              \
        .name = name_, .type_oid = oid_, .type_name = type_, .type_category = category_,           \
        .type_builtin = true, .not_null = true, .unique = unique_, .deterministic = true           \
    }
#define INTEGER(name_) COLUMN(name_, 23, "integer", 'N', false)
#define KEY(name_)     COLUMN(name_, 23, "integer", 'N', true)
#define BIGINT(name_)  COLUMN(name_, 20, "bigint", 'N', false)
#define BIGKEY(name_)  COLUMN(name_, 20, "bigint", 'N', true)
#define NUMERIC(name_) COLUMN(name_, 1700, "numeric", 'N', false)
#define DATE(name_)    COLUMN(name_, 1082, "date", 'D', false)
#define CHAR(name_)    COLUMN(name_, 1042, "character", 'S', false)
#define VARCHAR(name_) COLUMN(name_, 1043, "character varying", 'S', false)

static const struct catalog_column region[] = {KEY("r_regionkey"), CHAR("r_name"),
                                               VARCHAR("r_comment")};
static const struct catalog_column nation[] = {KEY("n_nationkey"), CHAR("n_name"),
                                               INTEGER("n_regionkey"), VARCHAR("n_comment")};
static const struct catalog_column supplier[] = {
    KEY("s_suppkey"), CHAR("s_name"),       VARCHAR("s_address"), INTEGER("s_nationkey"),
    CHAR("s_phone"),  NUMERIC("s_acctbal"), VARCHAR("s_comment")};
static const struct catalog_column part[] = {
    KEY("p_partkey"),    VARCHAR("p_name"),        CHAR("p_mfgr"),
    CHAR("p_brand"),     VARCHAR("p_type"),        INTEGER("p_size"),
    CHAR("p_container"), NUMERIC("p_retailprice"), VARCHAR("p_comment")};
static const struct catalog_column partsupp[] = {INTEGER("ps_partkey"), INTEGER("ps_suppkey"),
                                                 INTEGER("ps_availqty"), NUMERIC("ps_supplycost"),
                                                 VARCHAR("ps_comment")};
static const struct catalog_column customer[] = {
    KEY("c_custkey"), VARCHAR("c_name"),    VARCHAR("c_address"), INTEGER("c_nationkey"),
    CHAR("c_phone"),  NUMERIC("c_acctbal"), CHAR("c_mktsegment"), VARCHAR("c_comment")};
static const struct catalog_column orders[] = {
    BIGKEY("o_orderkey"),    INTEGER("o_custkey"),      CHAR("o_orderstatus"),
    NUMERIC("o_totalprice"), DATE("o_orderdate"),       CHAR("o_orderpriority"),
    CHAR("o_clerk"),         INTEGER("o_shippriority"), VARCHAR("o_comment")};
static const struct catalog_column lineitem[] = {
    BIGINT("l_orderkey"),    INTEGER("l_partkey"),   INTEGER("l_suppkey"),
    INTEGER("l_linenumber"), NUMERIC("l_quantity"),  NUMERIC("l_extendedprice"),
    NUMERIC("l_discount"),   NUMERIC("l_tax"),       CHAR("l_returnflag"),
    CHAR("l_linestatus"),    DATE("l_shipdate"),     DATE("l_commitdate"),
    DATE("l_receiptdate"),   CHAR("l_shipinstruct"), CHAR("l_shipmode"),
    VARCHAR("l_comment")};

#define TABLE(columns_, oid_)                                                                      \
    {                                                                                              \
        "tpch", #columns_, oid_, 'r', columns_, sizeof columns_ / sizeof *columns_                 \
    }

static const struct catalog_table tables[] = {
    TABLE(region, 1),   TABLE(nation, 2),   TABLE(supplier, 3), TABLE(part, 4),
    TABLE(partsupp, 5), TABLE(customer, 6), TABLE(orders, 7),   TABLE(lineitem, 8),
};

struct bench {
    struct model *model;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    double seconds; /* a statement */
    char **paths;
    int path_count;
};

static struct catalog *make_catalog(void)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    CHECK(catalog != NULL);
    arena_init(&catalog->arena, 4096);
    catalog->tables = tables;
    catalog->table_count = sizeof tables / sizeof *tables;
    catalog->server_version = "15.18";
    catalog->server_version_number = 150018;
    return catalog;
}

static void bind_model(struct bench *bench, const char *path)
{
    const struct policy *policy = NULL;
    struct error error = {0};
    if (policy_load(path, &policy, &error) != STATUS_OK ||
        model_bind(policy, make_catalog(), &bench->model, &error) != STATUS_OK) {
        fprintf(stderr, "%s: %s (%s)\n", path, error.message, error.hint);
        exit(1);
    }
    policy_release(policy);
    bench->agent = policy_find_agent(model_policy(bench->model), "analyst.one", &bench->partner);
    CHECK(bench->agent != NULL);
}

static const char *name_of(const char *path)
{
    static char name[64];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%s", slash == NULL ? path : slash + 1);
    name[strcspn(name, ".")] = 0;
    return name;
}

static void read_text(const char *path, char text[static TEXT_BYTES])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    text[fread(text, 1, TEXT_BYTES - 1, file)] = 0;
    fclose(file);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Makes the plan once and throws it away; nanoseconds of the making, or -1 where it is refused. */
static int64_t plan_once(const struct plan_request *request, struct error *error)
{
    struct plan *plan = NULL;
    int64_t begun = clock_monotonic_ns();
    enum status status = plan_make(request, &plan, error);
    int64_t took = clock_monotonic_ns() - begun;
    if (status != STATUS_OK)
        return -1;
    plan_release(plan);
    return took;
}

static void measure(const struct bench *bench, const char *path, int64_t *samples)
{
    static char text[TEXT_BYTES];
    struct error error = {0};
    size_t count = 0;
    read_text(path, text);
    struct plan_request request = {.model = bench->model,
                                   .partner = bench->partner,
                                   .agent = bench->agent,
                                   .sql = text,
                                   .statement_bytes_limit = TEXT_BYTES,
                                   .statement_depth_limit = 200,
                                   .now_ns = INT64_C(1789000000000000000)};
    for (int i = 0; i < WARM; i++)
        if (plan_once(&request, &error) < 0) {
            printf("%s refused %s %s\n", name_of(path), error.sqlstate, error.message);
            return;
        }
    int64_t end = clock_monotonic_ns() + (int64_t)(bench->seconds * 1e9);
    while (count < SAMPLES && (count == 0 || clock_monotonic_ns() < end))
        samples[count++] = plan_once(&request, &error);
    qsort(samples, count, sizeof *samples, compare);
    printf("%s ok %.1f %.1f %zu\n", name_of(path), (double)samples[count / 2] / 1e3,
           (double)samples[count * 99 / 100] / 1e3, count);
    fflush(stdout);
}

static void *work(void *argument)
{
    const struct bench *bench = argument;
    int64_t *samples = calloc(SAMPLES, sizeof *samples);
    CHECK(samples != NULL);
    for (int i = 0; i < bench->path_count; i++)
        measure(bench, bench->paths[i], samples);
    free(samples);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (argc < 4) {
        fprintf(stderr, "usage: rewrite_bench POLICY SECONDS FILE...\n");
        return 2;
    }
    struct bench bench = {.paths = argv + 3, .path_count = argc - 3};
    bench.seconds = strtod(argv[2], NULL) / bench.path_count;
    bind_model(&bench, argv[1]);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    CHECK(pthread_create(&thread, &attributes, work, &bench) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
    model_release(bench.model);
    return 0;
}
