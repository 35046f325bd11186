"""The compliance pages inside Airflow: what each job promised, did and left, for those who answer for it.

Rendered here, without scripts and without a build step; they read summaries and reports, never a provider's tables.
`gate` lets nobody in whom Airflow's auth manager does not know; `access` says what each role may; `app` puts the pages
together. The package does not know Airflow: `holdfast_door` hands in who asks, the secret, the database and the clock.

**To add a page**, say *Quarantine*:

1. Write `quarantine.py` with a `router`, and an `ENTRY` if it belongs into the navigation; `overview.py` and
   `reports.py` are examples::

       ENTRY = Entry("Quarantine", "quarantine", "What did not leave, and why")
       router = APIRouter()

       @router.get("/quarantine", name="quarantine", dependencies=[needs(Permission.READ)])
       def page(visit: Visitor) -> Response:
           with visit.reading() as connection:
               counts = queries.run(connection, "pages/quarantine_counts").all()
           return visit.page("quarantine.html.j2", counts=counts)

2. Its template, `templates/quarantine.html.j2`, extends `frame.html.j2`. Addresses are made by `url('name', ...)`, so
   that they hold wherever Airflow is mounted; what scrolls sideways is a region that the keyboard reaches. Queries are
   files in `sql/pages/` and stay fast with ten million rows. What is figured out lies in the domain's own package or in
   a pure function, tested without the web.
3. Name the module in `app.PAGES`, which is also the order of the navigation. A page below an entry passes the entry's
   route as `section`, so that the navigation shows where it is.

**A route that changes something** is a POST with `dependencies=[needs(Permission.…), FORM]`; its form has
`{{ form_token() }}`, its parameters are `Annotated[str, Form(max_length=…)]`, and it ends in `visit.to('name', ...)`,
so that reloading repeats nothing. A route without a permission, or a changing one without `FORM`, keeps the application
from being built at all.

**Personal data** are shown by a POST with `needs(Permission.LOOK_UP), FORM` and a parameter `reason:
Annotated[Reason, Form()]`, after `visit.looked_up("quarantine", extract=…, record=…, reason=reason)`, which enters
who looked, at what and why (`emergency.py` is an example). First the entry, then the look; the page itself is not
kept by the browser.

What is slow (over a second) asks `visit.costly()` first. An error of ours becomes a page by itself, and
`raise visit.missing("There is no such ….")` is a 404. Holds that may not be told of are the domain's matter, not ours.

Tests: `tests/holdfast/pages/` has a browser for each role (`as_auditor`, `as_compliance`, `as_user("engineer")`) over a
real database; what walks all routes (log-in, permissions, forms, headers, fuzzing) finds a new one by itself. Tests
with a real browser and a real Airflow are in `tests/browser/`.
"""
