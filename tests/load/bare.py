"""A page with one number on it: what Streamlit itself takes."""

import streamlit as st

st.write(st.number_input("Number", 0, 1000))
