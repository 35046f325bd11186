-- One day at the invented carrier: what customers did between two nights. `{volume}` calls, all else in proportion.
INSERT INTO provider.account (kind, status, opened_at)
SELECT 'individual', 'active', timestamptz '{night}' - interval '5 hours' FROM generate_series(1, {volume} / 100 + 1);

INSERT INTO provider.contact (account_id, role, full_name, email, phone, address_line, post_town, postcode, created_at)
SELECT
    account_id, 'owner', provider.synthetic_forename(account_id, 1) || ' ' || provider.synthetic_surname(account_id, 1),
    provider.synthetic_email(account_id, 1), provider.synthetic_number(account_id % 20000),
    provider.synthetic_street(account_id, 1), provider.synthetic_town(account_id, 1),
    provider.synthetic_postcode(account_id, 1), opened_at
FROM provider.account WHERE opened_at = timestamptz '{night}' - interval '5 hours';

CREATE TEMPORARY TABLE at_work ON COMMIT DROP AS
SELECT
    n, provider.synthetic_draw(n, '{night}', 1) AS chance,
    timestamptz '{night}' - provider.synthetic_share(n, '{night}', 2) * interval '24 hours' AS at,
    ids.found[1 + provider.synthetic_draw(n, '{night}', 3) % cardinality(ids.found)] AS account_id
FROM generate_series(1, {volume}) AS n
CROSS JOIN (SELECT array_agg(account_id) AS found FROM provider.account WHERE status = 'active') AS ids;

SELECT provider.make_call_partition(cast(timestamptz '{night}' AS date) + day) FROM generate_series(-1, 1) AS day;

INSERT INTO provider.call_detail_record
SELECT
    at, cast({number} AS bigint) * 1000000000 + n, account_id, chance % 900, chance % 90, cast(at AS date), TRUE, 'out',
    provider.synthetic_number(account_id % 20000), provider.synthetic_number(chance % 20000)
FROM at_work;

INSERT INTO provider.login_event (account_id, occurred_at, ip, user_agent, succeeded)
SELECT account_id, at, provider.synthetic_ip(n, 1), 'Example Browser 1.0', TRUE FROM at_work WHERE n % 8 = 0;

INSERT INTO provider.api_request_log (account_id, occurred_at, ip, method, path, status_code)
SELECT account_id, at, provider.synthetic_ip(n, 2), 'GET', '/v1/calls', 200 FROM at_work WHERE n % 4 = 0;

INSERT INTO provider.message (
    account_id, direction, sender, recipient, content, segments, status, submitted_at, delivered_at
)
SELECT
    account_id, 'out', provider.synthetic_number(account_id % 20000), provider.synthetic_number(chance % 20000),
    'Invented message ' || n, 1, 'delivered', at - interval '4 seconds', at
FROM at_work WHERE n % 5 = 0;

INSERT INTO provider.suspension_day (day, individuals, businesses, missed_looked_at, missed_found)
SELECT cast(timestamptz '{night}' AT TIME ZONE 'Europe/London' AS date) - back, 100, 50, 20, 0
FROM generate_series(1, {days_in}) AS back
ON CONFLICT DO NOTHING;
