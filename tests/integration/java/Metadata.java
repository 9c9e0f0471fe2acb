import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;

/** What DatabaseMetaData tells of a database: one line a row, "question|column|column…". */
public class Metadata {
    static void show(String question, ResultSet rows) throws Exception {
        ResultSetMetaData meta = rows.getMetaData();
        while (rows.next()) {
            StringBuilder line = new StringBuilder(question);
            for (int i = 1; i <= meta.getColumnCount(); i++)
                line.append('|').append(rows.getString(i));
            System.out.println(line);
        }
        rows.close();
    }

    /** args: the URL, a dataset, another that refers to it. */
    public static void main(String[] args) throws Exception {
        try (Connection connection = DriverManager.getConnection(args[0])) {
            DatabaseMetaData data = connection.getMetaData();
            System.out.println("user|" + data.getUserName() + "|" + data.getDatabaseProductVersion());
            show("catalog", data.getCatalogs());
            show("schema", data.getSchemas());
            show("schema-like", data.getSchemas(null, "pub%"));
            show("table", data.getTables(null, null, "%", null));
            show("base-table", data.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}));
            show("table-type", data.getTableTypes());
            show("column", data.getColumns(null, "public", args[1], "%"));
            show("primary-key", data.getPrimaryKeys(null, "public", args[1]));
            show("imported", data.getImportedKeys(null, "public", args[2]));
            show("exported", data.getExportedKeys(null, "public", args[1]));
            show("cross", data.getCrossReference(null, "public", args[1], null, "public", args[2]));
            show("index", data.getIndexInfo(null, "public", args[1], false, true));
            show("best-row", data.getBestRowIdentifier(null, "public", args[1], DatabaseMetaData.bestRowSession, true));
            show("version-column", data.getVersionColumns(null, "public", args[1]));
            show("table-privilege", data.getTablePrivileges(null, "public", "%"));
            show("column-privilege", data.getColumnPrivileges(null, "public", args[1], "%"));
            show("udt", data.getUDTs(null, "public", "%", null));
            show("type", data.getTypeInfo());
            show("udt-after", data.getUDTs(null, "public", "%", null)); // names each of those types: more than 16 kB
            System.out.println("after|types");
            show("function", data.getFunctions(null, "public", "%"));
            show("procedure", data.getProcedures(null, "public", "%"));
            show("function-column", data.getFunctionColumns(null, "public", "%", "%"));
            show("procedure-column", data.getProcedureColumns(null, "public", "%", "%"));
            show("client-info", data.getClientInfoProperties());
            System.out.println("limits|" + data.getMaxColumnsInIndex() + "|" + data.getMaxColumnNameLength());
            System.out.println("keywords|" + (data.getSQLKeywords().length() > 100));
            System.out.println("own|" + connection.getCatalog() + "|" + connection.getSchema());
        }
    }
}
