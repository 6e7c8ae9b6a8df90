"""Where to go tomorrow: asks two services about every city, all at once.

    gv run trip.py:plan --cities '["Lisbon", "Oslo", "Cairo"]'

The services answer when they like, and one of them is busy the first time it
is asked.  The record does not show who was quicker: calls stand where the
program made them, and are found again by what they are.
"""

import asyncio
import random

import gvstore as gv

WEATHER = {"Lisbon": 19, "Oslo": -2, "Cairo": 24}
FARES = {"Lisbon": 120, "Oslo": 80, "Cairo": 310}
BUSY = {"Oslo"}


async def answer() -> None:
    """Takes its time, as services do."""
    await asyncio.sleep(random.random() / 100)


@gv.register
async def forecast(city: str) -> int:
    """Returns tomorrow's degrees there."""
    await answer()
    if city in BUSY:
        BUSY.remove(city)
        raise TimeoutError(f"the weather service is busy with {city}")
    return WEATHER[city]


@gv.register
async def fare(city: str, season: str) -> int:
    """Returns what the flight costs, in euros."""
    await answer()
    return FARES[city] // (2 if season == "winter" else 1)


@gv.register
async def rate(city: str) -> int:
    """Returns how good a place it is: the weather first, then the fare of the season."""
    try:
        degrees = await forecast(city)
    except TimeoutError:
        degrees = await forecast(city)
    season = "summer" if degrees > 10 else "winter"
    return degrees * 10 - await fare(city, season)


@gv.register
async def plan(cities: list[str]) -> str:
    """Returns the best of the cities."""
    async with asyncio.TaskGroup() as group:
        tasks = {city: group.create_task(rate(city)) for city in cities}
    return max(cities, key=lambda city: tasks[city].result())
