-- One md5 a table over all its rows in the order of their keys: equal for two loads of one scale.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT 'customer', md5(string_agg(t::text, chr(10) ORDER BY customer_id)) FROM crm.customer AS t UNION ALL
SELECT 'enquirer', md5(string_agg(t::text, chr(10) ORDER BY enquirer_id)) FROM crm.enquirer AS t UNION ALL
SELECT 'vehicle', md5(string_agg(t::text, chr(10) ORDER BY vehicle_id)) FROM crm.vehicle AS t UNION ALL
SELECT 'service_visit', md5(string_agg(t::text, chr(10) ORDER BY visit_id)) FROM crm.service_visit AS t UNION ALL
SELECT 'service_line', md5(string_agg(t::text, chr(10) ORDER BY line_id)) FROM crm.service_line AS t UNION ALL
SELECT 'dealer', md5(string_agg(t::text, chr(10) ORDER BY dealer_id)) FROM crm.dealer AS t UNION ALL
SELECT 'model', md5(string_agg(t::text, chr(10) ORDER BY model_id)) FROM crm.model AS t UNION ALL
SELECT 'payment_method', md5(string_agg(t::text, chr(10) ORDER BY payment_id)) FROM crm.payment_method AS t UNION ALL
SELECT 'credential', md5(string_agg(t::text, chr(10) ORDER BY customer_id)) FROM crm.credential AS t
ORDER BY 1;
