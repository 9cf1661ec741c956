"""Doors: which function answers which request, which one runs by the clock, and what they reach."""

from __future__ import annotations

import pytest

from migrator.core.python.values import Callee
from tests.migrator.core.programs import Program, read

STORE = """
import sqlite3
def load(): return sqlite3.connect("x.db").execute("SELECT 1 FROM a").fetchall()
def save(): sqlite3.connect("x.db").execute("INSERT INTO b VALUES (1)")
"""


def doors(program: Program) -> list[str]:
    """`METHOD path function: reads → writes`, sorted."""
    code = read(program)
    return sorted(
        f"{door.method} {door.path} {door.function.name}: {_tables(code.graph.tables_from(door.runs))}"
        for door in code.doors.endpoints()
    )


def jobs(program: Program) -> list[str]:
    return [f"{job.trigger} {job.function.name} {job.line}" for job in read(program).doors.jobs()]


def _tables(touched: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    return " → ".join(",".join(names) for names in touched)


ENDPOINTS: dict[str, tuple[Program, list[str]]] = {
    "Flask": (
        """
        from flask import Flask
        from store import load, save
        app = Flask(__name__)
        @app.route("/a")
        def a(): return load()
        @app.route("/b/<int:n>", methods=["POST", "put"])
        def b(n):
            save()
            return load()
        @app.get("/c")
        def c(): return ""
        """,
        ["GET /a a: a → ", "GET /c c:  → ", "POST /b/<int:n> b: a → b", "PUT /b/<int:n> b: a → b"],
    ),
    "Flask's factory, add_url_rule and views": (
        """
        from flask import Flask
        from flask.views import MethodView
        from store import load, save
        def index(): return load()
        class Items(MethodView):
            def get(self): return load()
            def post(self): save()
        def create_app():
            app = Flask(__name__)
            app.add_url_rule("/", view_func=index)
            app.add_url_rule("/x", "x", index, methods=["POST"])
            app.add_url_rule("/items", view_func=Items.as_view("items"))
            @app.route("/inner")
            def inner(): return load()
            return app
        """,
        [
            "GET / index: a → ",
            "GET /inner create_app.inner: a → ",
            "GET /items Items.get: a → ",
            "POST /items Items.post:  → b",
            "POST /x index: a → ",
        ],
    ),
    "Flask's rules for some of a view's methods": (
        """
        from flask import Blueprint, Flask
        from flask.views import MethodView, View
        from store import load, save
        bp = Blueprint("b", __name__, url_prefix="/b")
        class Events(MethodView):
            def get(self, id): return load()
            def post(self): save()
        class Old(View):
            def dispatch_request(self): return load()
        bp.add_url_rule("/events/<int:id>", view_func=Events.as_view("one"), methods=["GET"])
        bp.add_url_rule("/events", view_func=Events.as_view("all"), methods=["POST"])
        bp.add_url_rule("/old", view_func=Old.as_view("old"))
        app = Flask(__name__)
        app.register_blueprint(bp)
        """,
        [
            "GET /b/events/<int:id> Events.get: a → ",
            "GET /b/old Old.dispatch_request: a → ",
            "POST /b/events Events.post:  → b",
        ],
    ),
    "blueprints with prefixes": (
        """
        from flask import Blueprint, Flask
        from store import load
        own = Blueprint("own", __name__, url_prefix="/own")
        given = Blueprint("given", __name__, url_prefix="/gone")
        outer = Blueprint("outer", __name__, url_prefix="/outer")
        @own.route("/a")
        def a(): return load()
        @given.route("/b")
        def b(): return load()
        app = Flask(__name__)
        app.register_blueprint(own)
        outer.register_blueprint(given, url_prefix="/given")
        app.register_blueprint(outer)
        """,
        ["GET /outer/given/b b: a → ", "GET /own/a a: a → "],
    ),
    "FastAPI with nested routers and dependencies": (
        {
            "main.py": """
                from fastapi import FastAPI
                from routers import api, users
                app = FastAPI()
                api.router.include_router(users.router, prefix="/users")
                app.include_router(api.router, prefix="/v1")
                @app.websocket("/live")
                async def live(socket): ...
            """,
            "routers/__init__.py": "",
            "routers/api.py": "from fastapi import APIRouter\nrouter = APIRouter(prefix='/api')\n",
            "routers/users.py": """
                from fastapi import APIRouter, Depends
                from store import load, save
                router = APIRouter()
                def current(): return load()
                @router.get("/me")
                def me(user=Depends(current)): return user
                @router.delete("/me", dependencies=[Depends(current)])
                def gone(): save()
                @router.api_route("/both", methods=["GET", "POST"])
                def both(): ...
            """,
        },
        [
            "DELETE /v1/api/users/me gone: a → b",
            "GET /v1/api/users/both both:  → ",
            "GET /v1/api/users/me me: a → ",
            "POST /v1/api/users/both both:  → ",
            "WEBSOCKET /live live:  → ",
        ],
    ),
    "FastAPI's dependencies of a route, of routers, and of who includes them": (
        """
        from fastapi import APIRouter, Depends, FastAPI
        from store import load, save
        import sqlite3
        def of_all(): sqlite3.connect("x.db").execute("SELECT 1 FROM c")
        def own(): load()
        def included(): save()
        inner = APIRouter(dependencies=[Depends(own)])
        plain = APIRouter()
        app = FastAPI(dependencies=[Depends(of_all)])
        @plain.get("/a", dependencies=[Depends(included)])
        def a(): ...
        plain.add_api_route("/again", a)
        plain.add_api_route("/once", endpoint=a, methods=["PUT"], dependencies=[Depends(own)])
        @inner.get("/b")
        def b(): ...
        app.include_router(plain)
        app.include_router(inner, prefix="/inner", dependencies=[Depends(included)])
        """,
        ["GET /a a: c → b", "GET /again a: c → ", "GET /inner/b b: a,c → b", "PUT /once a: a,c → "],
    ),
    "FastAPI with a mounted application": (
        """
        from fastapi import FastAPI
        from store import load
        app = FastAPI()
        inner = FastAPI()
        app.mount("/inner", inner)
        app.mount("/static", StaticFiles(directory="static"), name="static")
        @inner.get("/a")
        def a(): return load()
        """,
        ["GET /inner/a a: a → "],
    ),
    "aiohttp with applications inside of others": (
        """
        from aiohttp import web
        from store import load, save
        async def a(request): return load()
        async def b(request): save()
        @web.middleware
        async def each(request, handler):
            save()
            return await handler(request)
        routes = web.RouteTableDef()
        @routes.get("/c")
        async def c(request): return load()
        def make():
            app = web.Application(middlewares=[each])
            admin = web.Application()
            deep = web.Application()
            admin.router.add_get("/a", a)
            admin.add_routes([web.post("/b", b)])
            deep.add_routes(routes)
            app.add_subapp("/admin/", admin)
            admin.add_subapp("/deep", deep)
            return app
        """,
        [
            "ANY /* each:  → b",
            "GET /admin/a a: a → ",
            "GET /admin/deep/c c: a → ",
            "POST /admin/b b:  → b",
        ],
    ),
    "Flask before each request": (
        """
        from flask import Blueprint, Flask
        from store import load, save
        app = Flask(__name__)
        part = Blueprint("part", __name__)
        @app.before_request
        def counted(): save()
        @part.before_request
        def checked(): load()
        @part.after_app_request
        def noted(response): save()
        @part.route("/x")
        def x(): return ""
        app.register_blueprint(part, url_prefix="/part")
        """,
        [
            "ANY /* counted:  → b",
            "ANY /* noted:  → b",
            "ANY /part/* checked: a → ",
            "GET /part/x x:  → ",
        ],
    ),
    "aiohttp": (
        """
        from aiohttp import web
        from store import load, save
        routes = web.RouteTableDef()
        @routes.get("/a")
        async def a(request): return load()
        async def b(request): save()
        async def c(request): return load()
        class View(web.View):
            async def get(self): return load()
            async def post(self): save()
        app = web.Application()
        app.add_routes(routes)
        app.add_routes([web.post("/b", b), web.route("PATCH", "/e", b)])
        app.router.add_get("/c", c)
        app.router.add_route("PUT", "/d", b)
        app.router.add_view("/view", View)
        @routes.view("/table")
        class Table(web.View):
            async def get(self): return load()
        """,
        [
            "GET /a a: a → ",
            "GET /c c: a → ",
            "GET /table Table.get: a → ",
            "GET /view View.get: a → ",
            "PATCH /e b:  → b",
            "POST /b b:  → b",
            "POST /view View.post:  → b",
            "PUT /d b:  → b",
        ],
    ),
    "aiohttp in a class": (
        """
        from aiohttp import web
        from store import load
        class Server:
            def __init__(self):
                self.app = web.Application()
                self.app.router.add_get("/a", self.a)
            async def a(self, request): return load()
        """,
        ["GET /a Server.a: a → "],
    ),
    "Django": (
        {
            "shop/urls.py": """
                from django.urls import include, path, re_path
                from . import views
                urlpatterns = [
                    path("items/", views.items),
                    re_path(r"^old/$", views.old),
                    path("class/", views.Items.as_view()),
                ]
            """,
            "shop/views.py": """
                from django.views import View
                from store import load, save
                def items(request): return load()
                def old(request): save()
                class Items(View):
                    def get(self, request): return load()
                    def post(self, request): save()
            """,
            "urls.py": """
                from django.urls import include, path
                urlpatterns = [path("shop/", include("shop.urls"))]
            """,
        },
        [
            "ANY /shop/^old/$ old:  → b",
            "ANY /shop/items/ items: a → ",
            "GET /shop/class/ Items.get: a → ",
            "POST /shop/class/ Items.post:  → b",
        ],
    ),
    "Django with lists that are included": (
        {
            "shop.py": """
                from django.urls import include, path
                from store import load
                def index(request): return load()
                extra = [path("y/", index)]
                deep = [path("z/", index)]
                urlpatterns = [
                    path("", index),
                    path("sub/", include([path("x/<int:n>/", index), path("deep/", include((deep, "z")))])),
                    path("more/", include(extra)),
                    path("again/", include(extra)),
                ]
            """,
            "urls.py": """
                from django.urls import include, path
                urlpatterns = [path("shop/", include("shop"))]
            """,
        },
        [
            "ANY /shop/ index: a → ",
            "ANY /shop/again/y/ index: a → ",
            "ANY /shop/more/y/ index: a → ",
            "ANY /shop/sub/deep/z/ index: a → ",
            "ANY /shop/sub/x/<int:n>/ index: a → ",
        ],
    ),
    "repositories whose classes name their tables": (
        """
        import sqlite3
        from flask import Flask
        class Base:
            table = None
            def __init__(self): self.conn = sqlite3.connect("x.db")
            def delete(self, id): self._run("DELETE FROM " + self.table + " WHERE id = ?", id)
            def count(self): return self.conn.execute(f"SELECT count(*) FROM {self.table}").fetchone()
            def _run(self, sql, *values): self.conn.execute(sql, values)
        class Accounts(Base):
            table = "account"
            def delete(self, id):
                super().delete(id)
                self.conn.execute("INSERT INTO log VALUES (?)", (id,))
        class Events(Base):
            table = "event"
            def counted(self): return (lambda: self.count())()
        class Old(Events):
            pass
        class Any(Base):
            def __init__(self, table):
                super().__init__()
                self.table = table
        app = Flask(__name__)
        @app.delete("/accounts")
        def accounts(id): Accounts().delete(id)
        @app.get("/events")
        def events(): return Events().counted()
        @app.get("/old")
        def old(): return Old().count()
        @app.delete("/any")
        def any(table, id): Any(table).delete(id)
        @app.get("/each")
        def each(repository: Base): return repository.count()
        """,
        [
            "DELETE /accounts accounts:  → account,log",
            "DELETE /any any:  → (unknown)",
            "GET /each each: (unknown),account,event → ",
            "GET /events events: event → ",
            "GET /old old: event → ",
        ],
    ),
    "models and views whose classes name their tables": (
        """
        import sqlite3
        from flask import Flask
        from flask.views import MethodView
        class Model:
            @classmethod
            def all(cls, order="id"):
                return sqlite3.connect("x.db").execute(f"SELECT * FROM {cls.table} ORDER BY 1").fetchall()
        class User(Model):
            table = "users"
        class Post(Model):
            table = "posts"
        class Listing(MethodView):
            model = None
            def get(self): return self.model.all()
            def delete(self): sqlite3.connect("x.db").execute("DELETE FROM %s" % self.name)
        class Users(Listing):
            model, name = User, "users"
        class Posts(Listing):
            model = Post
            name = "posts"
        app = Flask(__name__)
        app.add_url_rule("/posts", view_func=Posts.as_view("posts"))
        @app.get("/users")
        def users(): return User.all("name")
        """,
        ["DELETE /posts Listing.delete:  → posts", "GET /posts Listing.get: posts → ", "GET /users users: users → "],
    ),
    "what only looks like a route": (
        """
        import httpx
        class Client:
            def get(self, path): return path
        client = Client()
        @client.get("/a")
        def a(): ...
        def b(): return httpx.get("/b")
        cache = {}
        cache.get("/c")
        """,
        [],
    ),
}

JOBS: dict[str, tuple[Program, list[str]]] = {
    "APScheduler": (
        """
        from apscheduler.schedulers.background import BackgroundScheduler
        from apscheduler.triggers.cron import CronTrigger
        scheduler = BackgroundScheduler()
        def a(): ...
        def b(): ...
        scheduler.add_job(a, "interval", minutes=5)
        scheduler.add_job(func=b, trigger=CronTrigger(hour=3))
        scheduler.add_job(lambda: a(), "cron", hour=4)
        @scheduler.scheduled_job("cron", hour=5)
        def c(): ...
        """,
        ["interval a 6", "cron b 7", "cron <lambda> 8", "cron c 9"],
    ),
    "APScheduler with texts and lambdas": (
        {
            "main.py": """
                from apscheduler.schedulers.background import BackgroundScheduler
                scheduler = BackgroundScheduler()
                NIGHTLY = "tasks.daily:Nightly.run"
                scheduler.add_job("tasks.daily:sweep", "interval", minutes=5)
                scheduler.add_job(func=NIGHTLY, trigger="cron", hour=3)
                scheduler.add_job("elsewhere:f", "cron")
            """,
            "tasks/__init__.py": "",
            "tasks/daily.py": "def sweep(): ...\nclass Nightly:\n    @staticmethod\n    def run(): ...\n",
        },
        ["interval sweep 4", "cron Nightly.run 5"],
    ),
    "schedule": (
        """
        import schedule
        def a(): ...
        schedule.every(10).minutes.do(a)
        schedule.every().day.at("10:30").do(a)
        """,
        ["interval a 3", "interval a 4"],
    ),
    "decorators like cron": (
        """
        import aiocron
        from fastapi_utils.tasks import repeat_every
        from celery import Celery
        app = Celery()
        @aiocron.crontab("0 3 * * *")
        async def a(): ...
        @repeat_every(seconds=60)
        async def b(): ...
        @app.on_after_configure.connect
        def c(sender): ...
        """,
        ["cron a 5", "interval b 7"],
    ),
    "what is no job": (
        """
        class Todo:
            def do(self, thing): ...
        def a(): ...
        Todo().do(a)
        """,
        [],
    ),
}


@pytest.mark.parametrize(("program", "expected"), ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_endpoints(program: Program, expected: list[str]) -> None:
    files = {"app.py": program} if isinstance(program, str) else program

    assert doors({"store.py": STORE, **files}) == expected


@pytest.mark.parametrize(("program", "expected"), JOBS.values(), ids=JOBS.keys())
def test_jobs(program: Program, expected: list[str]) -> None:
    assert jobs(program) == expected


def test_the_way_to_a_table() -> None:
    code = read(
        """
        import sqlite3
        class Store:
            def __init__(self): self.conn = sqlite3.connect("x.db")
            def _run(self, sql): return self.conn.execute(sql)
            def all(self): return self._run("SELECT 1 FROM a")
        class Service:
            def __init__(self, store: Store): self.store = store
            def items(self): return self.store.all()
        def view(): return Service(Store()).items()
        """
    )
    view = code.tree.modules[0].find("view")
    end = code.tree.modules[0].find("Store.all")

    assert view is not None
    assert end is not None
    assert code.graph.way(Callee(view), Callee(end, end.parent)) == ("view", "Service.items", "Store.all")


def test_a_lambda_reaches_what_it_calls() -> None:
    code = read(
        {
            "store.py": STORE,
            "main.py": """
                from apscheduler.schedulers.background import BackgroundScheduler
                from store import load, save
                scheduler = BackgroundScheduler()
                def hourly(): load()
                scheduler.add_job(func=lambda: hourly(), trigger="cron")
                save()
            """,
        }
    )
    [job] = code.doors.jobs()

    assert code.graph.tables_from(job.runs) == (("a",), ())
