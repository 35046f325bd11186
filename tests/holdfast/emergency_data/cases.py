"""For each rule a record that breaks it and one that just passes, as changes to a good record."""

from __future__ import annotations

Change = dict[str, str]

# rule -> (changes that break it, changes that just pass). A good record is an individual on a fixed line in ZY or AA.
OF_ONE_RECORD: dict[str, tuple[list[Change], list[Change]]] = {
    "E101": (
        [{"number_e164": ""}, {"number_e164": "01632960001"}]
        + [{"number_e164": "+44" + "1" * digits} for digits in (8, 11)],
        [{"number_e164": "+44" + "1" * digits} for digits in (9, 10)],
    ),
    "E103": ([{"number_e164": "+449098790001"}, {"number_e164": "+448081570001"}], [{"number_e164": "+443069990001"}]),
    "E106": ([{"number_e164": "+441481960001"}], [{"number_e164": "+441482960001"}]),
    "W107": ([{}], [{"number_e164": "+441632961000"}]),
    "E109": (
        [{"number_e164": "+447700900001"}, {"service_type": "MOBILE"}],
        [{"number_e164": "+441632960001"}, {"service_type": "VOIP_FIXED"}],
    ),
    "E110": ([{"action": ""}, {"action": "X"}], [{"action": "I"}]),
    "E111": (
        [{"number_e164": "+4416329600011"}, {"number_e164": "+442579460001"}, {"number_e164": "+4430699900"}],
        [{"number_e164": "+441632960001"}, {"number_e164": "+442079460001"}],
    ),
    "E113": ([{"national_number": "01632960002"}], [{"national_number": ""}]),
    "E114": ([{"line_no": "1a"}, {"line_no": "1000000000"}], [{"line_no": "999999999"}]),
    "E115": ([{"party_type": ""}, {"party_type": "X"}], [{"party_type": "I"}]),
    "E116": ([{"service_type": ""}, {"service_type": "VOIP"}], [{"service_type": "VOIP_FIXED"}]),
    "E117": (
        [
            {"location_independent": ""},
            {"location_independent": "X"},
            {"service_type": "VOIP_NOMADIC", "location_independent": "N"},
            {"service_type": "FIXED", "location_independent": "Y"},
        ],
        [
            {"service_type": "VOIP_NOMADIC", "location_independent": "Y"},
            {"service_type": "VOIP_FIXED", "location_independent": "Y"},
        ],
    ),
    "W118": (
        [{"number_e164": "+443069990001", "service_type": "FIXED"}],
        [{"number_e164": "+443069990001", "service_type": "VOIP_FIXED"}],
    ),
    "E119": ([{"address_source": ""}, {"address_source": "X"}], [{"address_source": "SELF_DECLARED"}]),
    "E120": (
        [{"effective_from": ""}, {"effective_from": "2025-02-29"}, {"effective_from": "2025-3-1"}],
        [{"effective_from": "2024-02-29"}],
    ),
    "E121": (
        [{"effective_from": "1984-12-31"}, {"effective_from": "2027-01-24"}],
        [{"effective_from": "1985-01-01"}, {"effective_from": "2027-01-23"}],
    ),
    "E122": ([{"address_verified_at": "2026-04-31"}], [{"address_verified_at": "2026-04-30"}]),
    "E123": ([{"address_verified_at": "2026-11-25"}], [{"address_verified_at": "2026-11-24"}]),
    "E124": ([{"account_ref": "someone@example.com"}], [{"account_ref": "acc_1:2-3"}]),
    "E125": ([{"version_no": "v1"}, {"version_no": "1000000000"}], [{"version_no": "999999999"}]),
    "E126": ([{"country": "UK"}], [{"country": ""}]),
    "W127": ([{"country": "SCT", "postcode": "BT1 1AA"}], [{"country": "WLS", "postcode": "CH1 1AA"}]),
    "E201": ([{"postcode": ""}], [{}]),
    "E202": ([{"postcode": "ZY1 1AC"}, {"postcode": "QY1 1AA"}, {"postcode": "ZY11AAA"}], [{"postcode": "ZY11AA"}]),
    "E203": ([{"postcode": "ZZ1 1AA"}, {"postcode": "JE1 1AA"}], [{"postcode": "M1 1AA"}]),
    "E204": ([{"postcode": "GY1 1AA"}, {"postcode": "im1 1AA"}], [{"postcode": "IG1 1AA"}]),
    "E205": ([{"postcode": "BF1 3AA"}, {"postcode": "GIR 0AA"}, {"postcode": "BX1 1LT"}], [{"postcode": "BD1 1AA"}]),
    "W208": (
        [{"postcode": "M1 1AA", "post_town": "LEEDS"}, {"postcode": "AL1 1AA", "post_town": "STALBANS"}],
        [
            {"postcode": "M1 1AA", "post_town": "Salford"},
            {"postcode": "AL1 1AA", "post_town": "ST. ALBANS"},
            {"postcode": "ST4 1AA", "post_town": "STOKE-ON-TRENT"},
        ],
    ),
    "W209": (
        [{"number_e164": "+442079460001", "postcode": "M1 1AA"}],
        [{"number_e164": "+442079460001", "postcode": "EC1A 1AA"}, {"postcode": "M1 1AA"}],
    ),
    "E210": (
        [{"postcode": "ZY11AA"}, {"postcode": "zy1 1aa"}, {"postcode": "ZY1  1AA"}],
        [{"postcode": "ZY1 1AA"}],
    ),
    "E301": ([{"premises": ""}], [{"premises": "1"}]),
    "E302": ([{"thoroughfare": "", "premises": "12A"}], [{"thoroughfare": "", "premises": "THE LIGHTHOUSE"}]),
    "E303": ([{"locality": "", "post_town": ""}], [{"locality": "UPPER SAMPLE", "post_town": ""}]),
    "E304": ([{"name": "A" * 51}, {"postcode": "ZY1 1AA ZY1 1"}], [{"name": "A" * 50}]),
    "E306": (
        [{"name": "UNKNOWN"}, {"premises": "tbc"}, {"thoroughfare": "."}, {"locality": "xxx"}, {"post_town": "N/A"}],
        [{"name": "UNKNOWNE"}, {"thoroughfare": "TEST VALLEY ROAD"}],
    ),
    "W307": (
        [{"premises": "10", "thoroughfare": "10 HIGH STREET"}],
        [{"premises": "10", "thoroughfare": "100 STEPS"}],
    ),
    "E310": ([{"address_source": "BILLING"}], [{"address_source": "INSTALL"}]),
    "W311": ([{"thoroughfare": "High STREET"}], [{"thoroughfare": "HIGH STREET"}]),
    "W312": ([{"uprn": "12X"}, {"uprn": "1234567890123"}], [{"uprn": "123456789012"}]),
    "E313": ([{"name": ""}], [{"thoroughfare": "", "premises": "THE LIGHTHOUSE"}]),
    "E314": (
        [{"thoroughfare": "PO BOX 12"}, {"premises": "C/O SAMPLE"}, {"locality": "p.o. box 3"}],
        [{"thoroughfare": "BOX LANE"}],
    ),
    "W315": ([{"name": " A"}, {"premises": "1 "}, {"post_town": "MUCH  PRETENDING"}], [{"name": "A B"}]),
    "E401": ([{"name": ""}], [{"name": "B"}]),
    "E402": (
        [{"party_type": "B", "title": "MR", "forename": ""}, {"party_type": "B", "title": "", "forename": "A"}],
        [{"party_type": "B", "title": "", "forename": ""}],
    ),
    "W403": ([{"title": ""}, {"forename": ""}], [{}]),
    "W404": (
        [{"party_type": "B", "title": "", "forename": "", "name": "MR SAMPLE"}],
        [{"party_type": "B", "title": "", "forename": "", "name": "MRS'S SHOP"}],
    ),
    "W405": (
        [{"party_type": "B", "title": "", "forename": "", "name": "SAMPLE LTD"}],
        [{"party_type": "B", "title": "", "forename": "", "name": "LTD EDITIONS"}],
    ),
    "E406": ([{"bus_suffix": "LTD"}], [{"bus_suffix": ""}]),
    "W407": ([{"name": "SAMPLE LIMITED"}], [{"name": "LIMITEDSON"}]),
    "W503": (
        [{"address_verified_at": ""}, {"address_verified_at": "2025-11-23"}],
        [{"address_verified_at": "2025-11-24"}],
    ),
    "W504": (
        [{"service_type": "VOIP_NOMADIC", "location_independent": "Y", "address_verified_at": "2026-08-25"}],
        [{"service_type": "VOIP_NOMADIC", "location_independent": "Y", "address_verified_at": "2026-08-26"}],
    ),
}
# Rules about several records, or about what the database knows; each has a test of its own.
OF_SEVERAL = {"E102", "E104", "E105", "E108", "E112", "E206", "W207", "W308", "E309"}
# Shown with a layout that has such fields.
OF_OTHER_LAYOUTS = {"E305"}
