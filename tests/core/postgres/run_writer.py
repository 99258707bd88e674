"""Inserts numbers one after the other for ever and writes down each one whose commit was acknowledged."""

import os
import sys
import time

import psycopg


def write(url: str, acknowledged: int) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (number bigint PRIMARY KEY)")
        row = connection.execute("SELECT coalesce(max(number), 0) FROM numbers").fetchone()
        number: int = row[0] if row else 0
        while True:
            number += 1
            connection.execute("INSERT INTO numbers VALUES (%s)", [number])
            os.write(acknowledged, f"{number}\n".encode())


def main(url: str, file: str) -> None:
    acknowledged = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        try:
            write(url, acknowledged)
        except psycopg.OperationalError:
            time.sleep(0.005)


main(*sys.argv[1:])
