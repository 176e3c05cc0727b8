"""What the sample apps contain: collections, fields with their right types, and the rows.

The rows come from the package vega-datasets. Its files are read directly: importing the package would load
pandas, which takes longer than everything else here.
"""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atoll.cli.exits import CommandFailed, ExitCode

Row = dict[str, Any]


@dataclass(frozen=True)
class SampleCollection:
    """One collection.

    Args:
        key: the field that tells two rows apart; a row that is there already is not made again.
        rows: reads the rows from the package's folder.
    """

    name: str
    title: str
    key: str
    fields: tuple[Row, ...]
    rows: Callable[[Path], list[Row]]

    def definition(self) -> Row:
        """The values for `collections:create`."""
        identity = {
            "name": "id",
            "type": "bigInt",
            "interface": "id",
            "autoIncrement": True,
            "primaryKey": True,
            "allowNull": False,
            "uiSchema": {"type": "number", "title": "ID", "x-component": "InputNumber"},
        }
        return {
            "name": self.name,
            "title": self.title,
            "template": "general",
            "autoGenId": False,
            "createdAt": True,
            "updatedAt": True,
            "fields": [identity, *self.fields],
        }


@dataclass(frozen=True)
class SampleApp:
    """One app with its collections."""

    name: str
    title: str
    collections: tuple[SampleCollection, ...]


def folder() -> Path:
    """Where the data sets lie.

    Raises:
        CommandFailed: PROGRAM_MISSING when the package is not installed.
    """
    spec = importlib.util.find_spec("vega_datasets")
    if spec is None or spec.origin is None:
        raise CommandFailed(
            ExitCode.PROGRAM_MISSING,
            "the sample data is in a package that is not installed: pip install 'atoll[demo]'",
        )
    return Path(spec.origin).parent / "_data"


def _field(name: str, title: str, kind: str, interface: str, component: str, **more: Any) -> Row:
    schema = {"type": "string", "title": title, "x-component": component}
    return {"name": name, "type": kind, "interface": interface, "uiSchema": schema, **more}


def _text(name: str, title: str, **more: Any) -> Row:
    return _field(name, title, "string", "input", "Input", **more)


def _whole(name: str, title: str, **more: Any) -> Row:
    return _field(name, title, "integer", "integer", "InputNumber", **more)


def _number(name: str, title: str) -> Row:
    return _field(name, title, "double", "number", "InputNumber")


def _date(name: str, title: str, **more: Any) -> Row:
    return _field(name, title, "dateOnly", "date", "DatePicker", **more)


def _choice(name: str, title: str, options: Sequence[tuple[str, str, str]]) -> Row:
    row = _field(name, title, "string", "select", "Select")
    row["uiSchema"]["enum"] = [
        {"value": value, "label": label, "color": color} for value, label, color in options
    ]
    return row


def _csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _airports(folder: Path) -> list[Row]:
    return [
        {
            "iata": row["iata"],
            "name": row["name"],
            "city": row["city"],
            "state": row["state"],
            "country": row["country"],
            "latitude": float(row["latitude"]),
            "longitude": float(row["longitude"]),
        }
        for row in _csv(folder / "airports.csv")
    ]


def _weather(folder: Path) -> list[Row]:
    return [
        {
            "day": row["date"].replace("/", "-"),
            "precipitation": float(row["precipitation"]),
            "warmest": float(row["temp_max"]),
            "coldest": float(row["temp_min"]),
            "wind": float(row["wind"]),
            "freezing": float(row["temp_min"]) <= 0,
            "weather": row["weather"],
        }
        for row in _csv(folder / "seattle-weather.csv")
    ]


def _cars(folder: Path) -> list[Row]:
    rows: list[dict[str, Any]] = json.loads((folder / "cars.json").read_text(encoding="utf-8"))
    return [
        {
            "number": number,
            "name": row["Name"],
            "origin": row["Origin"],
            "built": row["Year"],
            "cylinders": row["Cylinders"],
            "horsepower": row["Horsepower"],
            "weight": row["Weight_in_lbs"],
            "displacement": row["Displacement"],
            "acceleration": row["Acceleration"],
            "milesPerGallon": row["Miles_per_Gallon"],
        }
        for number, row in enumerate(rows, 1)
    ]


AIRPORTS = SampleCollection(
    "airports",
    "Airports",
    "iata",
    (
        _text("iata", "Code", unique=True),
        _text("name", "Name"),
        _text("city", "City"),
        _text("state", "State"),
        _text("country", "Country"),
        _number("latitude", "Latitude"),
        _number("longitude", "Longitude"),
    ),
    _airports,
)
WEATHER = SampleCollection(
    "seattle_weather",
    "Weather in Seattle",
    "day",
    (
        _date("day", "Day", unique=True),
        _choice(
            "weather",
            "Weather",
            [
                ("sun", "Sun", "gold"),
                ("rain", "Rain", "blue"),
                ("drizzle", "Drizzle", "cyan"),
                ("fog", "Fog", "default"),
                ("snow", "Snow", "geekblue"),
            ],
        ),
        _number("precipitation", "Precipitation (mm)"),
        _number("warmest", "Warmest (°C)"),
        _number("coldest", "Coldest (°C)"),
        _number("wind", "Wind (m/s)"),
        _field("freezing", "Freezing", "boolean", "checkbox", "Checkbox"),
    ),
    _weather,
)
CARS = SampleCollection(
    "cars",
    "Cars",
    "number",
    (
        _whole("number", "Number", unique=True),
        _text("name", "Name"),
        _choice(
            "origin",
            "Origin",
            [("USA", "USA", "blue"), ("Europe", "Europe", "green"), ("Japan", "Japan", "red")],
        ),
        _date("built", "Model year"),
        _whole("cylinders", "Cylinders"),
        _whole("horsepower", "Horsepower"),
        _whole("weight", "Weight (lb)"),
        _number("displacement", "Displacement (cu in)"),
        _number("acceleration", "0-60 mph (s)"),
        _number("milesPerGallon", "Miles per gallon"),
    ),
    _cars,
)
APPS = (
    SampleApp("travel", "Travel", (AIRPORTS, WEATHER)),
    SampleApp("garage", "Garage", (CARS,)),
)
