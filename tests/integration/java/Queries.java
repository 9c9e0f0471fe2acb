// A JDBC client as a partner would write it: text, prepared, server-prepared with binary transfer,
// fetched in portions, and a refused statement. Prints one line a question for test_clients.py.
import java.sql.*;

public class Queries {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0] + "&prepareThreshold=2&defaultRowFetchSize=50";
        try (Connection connection = DriverManager.getConnection(url)) {
            try (Statement statement = connection.createStatement();
                 ResultSet rows = statement.executeQuery("SELECT full_name FROM person WHERE person_id = 1")) {
                System.out.println("columns " + rows.getMetaData().getColumnCount());
                rows.next();
                System.out.println("text " + rows.getString(1));
            }
            try (PreparedStatement prepared = connection.prepareStatement(
                     "SELECT person_id, born FROM person WHERE person_id = ?")) {
                long sum = 0;
                for (long id = 1; id <= 7; id++) { // from the second run on: server-prepared and binary
                    prepared.setLong(1, id);
                    try (ResultSet rows = prepared.executeQuery()) {
                        while (rows.next())
                            sum += rows.getLong(1) * 10000 + rows.getDate(2).toLocalDate().getYear();
                    }
                }
                System.out.println("prepared " + sum);
            }
            connection.setAutoCommit(false);
            int count = 0;
            try (Statement statement = connection.createStatement();
                 ResultSet rows = statement.executeQuery("SELECT purchase_id FROM purchase")) {
                while (rows.next())
                    count++;
            }
            System.out.println("portions " + count);
            connection.rollback();
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT secret FROM person");
                System.out.println("not refused");
            } catch (SQLException refusal) {
                System.out.println("refused " + refusal.getSQLState());
            }
            connection.rollback();
        }
    }
}
