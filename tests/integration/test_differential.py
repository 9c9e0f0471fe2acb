"""What a partner may see in clear looks the same as it does in the database: values, types, order, errors."""
import yaml

from harness import differential

POLICY = (differential.FOLDER / "policy.yaml").read_text()
SCHEMA = (differential.FOLDER / "schema.sql").read_text()


def compare(cluster, gateway, statements):
    with cluster.connect(gateway.database) as direct:
        run = differential.Differential(direct, lambda: gateway.connect("reader.one"))
        for topic, statement in statements:
            run.run(topic, statement)
        run.gateway.close()
    return run


def test_the_whole_corpus_gives_what_the_database_gives(cluster, make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SCHEMA)
    run = compare(cluster, gateway, differential.own_corpus())
    assert not run.told, "\n".join(run.told)
    assert run.count["statements"] > 900, run.count
    assert run.count["same"] > run.count["statements"] / 2, run.reasons.most_common(20)


def test_the_comparison_sees_a_mask_a_filter_and_a_changed_type(cluster, make_gateway):
    policy = yaml.safe_load(POLICY)
    grants = {grant["dataset"]: grant for grant in policy["partners"]["reader"]["grants"]}
    grants["person"]["columns"].update(name="initial", born="year")
    grants["task"]["rows"] = "task_id <> 7"
    gateway = make_gateway(policy_yaml=yaml.safe_dump(policy, sort_keys=False), sql=SCHEMA)
    statements = ["SELECT name FROM person WHERE person_id = 1", "SELECT born FROM person WHERE person_id = 1",
                  "SELECT count(*) FROM task", "SELECT 1 / (task_id - 7) FROM task WHERE task_id = 7", "SELECT 1 AS one"]
    run = compare(cluster, gateway, [("changed", statement) for statement in statements])
    assert (run.count["different"], run.count["same"]) == (4, 1), run.told


def test_the_comparison_sees_an_order_that_was_asked_for(cluster, make_gateway):
    gateway = make_gateway(policy_yaml=POLICY, sql=SCHEMA)
    with cluster.connect(gateway.database) as direct:
        run = differential.Differential(direct, lambda: gateway.connect("reader.one"))
        up, down = (run.ask(direct, f"SELECT id FROM ints ORDER BY id {way}", False) for way in ("ASC", "DESC"))
        assert run.judge("SELECT id FROM ints ORDER BY id", up, down) == "reordered"
        assert run.judge("SELECT id FROM ints", up, down) == "same"
        run.gateway.close()


def test_a_script_is_split_where_psql_would():
    text = "-- a;\nSELECT ';', $$;$$, E'\\';', \"a;b\" /* ; */;\n\\echo y\nSELECT (1;2);TABLE z;\n"
    assert list(differential.split(text)) == ["SELECT ';', $$;$$, E'\\';', \"a;b\"", "SELECT (1;2)", "TABLE z"]
    assert differential.expand("SELECT ⟨1|2⟩, ⟨a|⟩") == ["SELECT 1, a", "SELECT 1, ", "SELECT 2, a", "SELECT 2, "]
