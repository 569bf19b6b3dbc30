"""A page with one number input: the load of Streamlit alone."""

import streamlit as st

st.write(st.number_input("Number", 0, 1000))
