-- Who works for the provider and is given personal data?
-- params: none
-- returns: the number of rows made
-- locks: the new rows of provider.service_provider
INSERT INTO provider.service_provider (service_provider_id, name, service, contact_email)
VALUES
(1, 'Example Payments Ltd', 'payments', 'privacy@payments.example.com'),
(2, 'Sample Mail Ltd', 'e-mail delivery', 'privacy@mail.example.com'),
(3, 'Invented Identity Checks Ltd', 'identity checks', 'privacy@identity.example.org'),
(4, 'Fictional Carrier plc', 'call termination', 'privacy@carrier.example.net'),
(5, 'Imaginary Helpdesk Ltd', 'customer care', 'privacy@helpdesk.example.com')
