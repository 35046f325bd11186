-- Who must never be marketed to? One contact in ten objected.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.marketing_suppression
INSERT INTO provider.marketing_suppression (address_hash, channel, objected_at)
SELECT sha256(convert_to(contact.email, 'UTF8')), 'email', contact.created_at + interval '40 days'
FROM provider.contact
WHERE provider.synthetic_draw(contact.contact_id, 'objected', :seed) % 10 = 0
